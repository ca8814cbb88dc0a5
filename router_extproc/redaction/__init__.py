"""Redaction: personal facts leave as placeholders, and come back to the client as what they were.

One value, `Redacted`, is made of a request before it is forwarded and stays in the memory of its exchange. It
holds what each placeholder stands for: it is never logged, stored or sent.
"""
