"""Guard: numbers, units, dates and versions must be the same, in the same order.

Two questions that name different quantities never share an answer, however the quantities are written.
"""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.equivalence.words import Question, Token, listed

_FIRST_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
)
_SMALL = {word: value for value, word in enumerate(_FIRST_NUMBERS.split())} | {
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_TEN_NAMES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: value * 10 for value, word in enumerate(_TEN_NAMES.split(), 2)}
_SCALES = {
    "hundred": 10**2,
    "thousand": 10**3,
    "k": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
}
_ORDINAL_NAMES = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_ORDINALS = {word: value for value, word in enumerate(_ORDINAL_NAMES.split(), 1)}
_QUANTITIES = listed(
    """
    half quarter dozen double twice triple thrice single quadruple zero dozens hundreds thousands
    millions billions trillions
    """
)
#: Two things, if one of these follows; otherwise two people.
_OF_A_COUPLE = listed("of hours days weeks months years minutes seconds times more")
#: Numbers behind one of these words: World War II, type I diabetes. Alone they are other words.
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_BEFORE_ROMAN = listed("war type phase stage grade class part volume level tier category")
#: Roman numbers that are nothing else, and short names with a number in them.
_NAMED_NUMBERS = {"ii": "2", "iii": "3", "vii": "7", "viii": "8", "wwi": "1", "wwii": "2", "wwiii": "3"}
#: All words that may say a quantity, or part of one.
_ANY_QUANTITY = frozenset(
    {*_SMALL, *_TENS, *_SCALES, *_ORDINALS, *_QUANTITIES, *_ROMAN, *_NAMED_NUMBERS, "couple"}
)
#: Scales that say a quantity without a number before them: "a few hundred".
_WHOLE_SCALES = _SCALES.keys() - {"k", "bn"}

#: Words of the longest number that is read as one.
_SPELLED_WORDS_MAX = 12

#: Ways to write a unit, by the unit that they mean.
_UNIT_WORDS = {
    "percent": "% percent percents percentage pct",
    "dollar": "$ dollar dollars usd bucks",
    "euro": "€ euro euros eur",
    "pound": "£ gbp quid",
    "yen": "¥ yen jpy",
    "rupee": "₹ rupee rupees inr rs",
    "degree": "° degree degrees",
    "celsius": "celsius centigrade",
    "fahrenheit": "fahrenheit",
    "kelvin": "kelvin kelvins",
    "kilometer": "km kms kilometer kilometers kilometre kilometres",
    "meter": "meter meters metre metres",
    "centimeter": "cm cms centimeter centimeters centimetre centimetres",
    "millimeter": "mm millimeter millimeters millimetre millimetres",
    "mile": "mile miles mi mph",
    "foot": "ft foot feet",
    "inch": "inch inches",
    "yard": "yard yards",
    "kilogram": "kg kgs kilo kilos kilogram kilograms",
    "gram": "gram grams",
    "milligram": "mg milligram milligrams",
    "lb": "lb lbs pound pounds",
    "ounce": "oz ounce ounces",
    "liter": "liter liters litre litres",
    "milliliter": "ml milliliter milliliters millilitre millilitres",
    "gallon": "gallon gallons",
    "cup": "cup cups",
    "second": "sec secs seconds",
    "millisecond": "ms millisecond milliseconds",
    "minute": "min mins minute minutes",
    "hour": "hr hrs hour hours hourly",
    "day": "day days daily",
    "week": "week weeks weekly",
    "month": "month months monthly",
    "year": "year years yr yrs annual annually yearly",
    "decade": "decade decades",
    "century": "century centuries",
    "am": "am",
    "pm": "pm",
    "byte": "byte bytes",
    "kilobyte": "kb kilobyte kilobytes",
    "megabyte": "mb megabyte megabytes",
    "gigabyte": "gb gigabyte gigabytes",
    "terabyte": "tb terabyte terabytes",
    "bit": "bit bits",
    "hertz": "hz hertz",
    "gigahertz": "ghz gigahertz",
    "watt": "watt watts",
    "kilowatt": "kw kilowatt kilowatts kwh",
    "volt": "volt volts",
    "calorie": "cal calorie calories kcal",
    "joule": "joule joules",
}
_UNIT_OF = {written: unit for unit, words in _UNIT_WORDS.items() for written in words.split()}
#: Units that are also plain words: they count only behind a number.
_AMBIGUOUS = frozenset({"am", "day", "foot", "second", "cup", "bit", "yard", "inch", "lb", "minute", "year"})
#: Words that mean a unit behind a number only: an engineering degree, M. S. Dhoni.
_AMBIGUOUS_WORDS = frozenset({"degree", "degrees", "mi", "ms"})


def same_numbers(cached: Question, asked: Question) -> str | None:
    """Say "numbers" or "units" when these differ."""
    if cached.once(_numbers_of) != asked.once(_numbers_of):
        return "numbers"
    return None if cached.once(_units_of) == asked.once(_units_of) else "units"


def _numbers_of(question: Question) -> tuple[str, ...]:
    return tuple(_numbers(question.tokens))


def _units_of(question: Question) -> frozenset[str]:
    return frozenset(_units(question.tokens))


def _numbers(tokens: tuple[Token, ...]) -> Iterator[str]:
    """Every quantity in a canonical form, in the order of the text."""
    spelled: list[str] = []
    for index, token in enumerate(tokens):
        if token.kind == "word" and token.text not in _ANY_QUANTITY:
            yield from _flush(spelled)
            continue
        if _is_spelled(token, tokens[index - 1 : index], spelled):
            spelled.append(token.text)
            continue
        yield from _flush(spelled)
        if token.kind == "number":
            yield _digits(token, tokens[index + 1 : index + 2])
        else:
            yield from _named(token, tokens[index - 1 : index], tokens[index + 1 : index + 2])
    yield from _flush(spelled)


def _named(token: Token, before: tuple[Token, ...], after: tuple[Token, ...]) -> Iterator[str]:
    """The quantity that one word says, if any."""
    word = token.text
    if word in _ORDINALS:
        yield str(_ORDINALS[word])
    elif word in _QUANTITIES or (word == "couple" and after and after[0].text in _OF_A_COUPLE):
        yield word
    elif before and before[0].text in _BEFORE_ROMAN and word in _ROMAN and token.written.isupper():
        yield _ROMAN[word]
    elif word in _NAMED_NUMBERS:
        yield _NAMED_NUMBERS[word]


def _is_spelled(token: Token, before: tuple[Token, ...], spelled: list[str]) -> bool:
    # "one" alone is a pronoun more often than a number.
    if token.text in _TENS or (token.text in _SMALL and token.text != "one"):
        return True
    if spelled:
        return token.text in _SCALES or token.text == "one"
    # Behind digits it belongs to them: "5 million".
    return token.text in _WHOLE_SCALES and not (before and before[0].kind == "number")


def _flush(spelled: list[str]) -> Iterator[str]:
    if spelled:
        # Nobody spells a longer number; its words say it as well as its value.
        yield str(_value(spelled)) if len(spelled) <= _SPELLED_WORDS_MAX else " ".join(spelled)
        spelled.clear()


def _value(spelled: list[str]) -> int:
    total = current = 0
    for word in spelled:
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] > _SCALES["hundred"]:
                total, current = total + current, 0
        else:
            current += _SMALL.get(word, _TENS.get(word, 0))
    return total + current


def _digits(token: Token, following: tuple[Token, ...]) -> str:
    # Trailing zeros stay: 3.10 is another version than 3.1.
    plain = token.text.replace(",", "").removesuffix(".0").removesuffix(".00")
    scale = _SCALES.get(following[0].text) if following else None
    if scale is None or "." in plain:
        return plain if scale is None else f"{plain}x{scale}"
    whole = plain.lstrip("-")
    # Int of thousands of digits would be slow; nobody scales those.
    return plain + str(scale)[1:] if len(whole) < len(str(10**15)) else plain


def _units(tokens: tuple[Token, ...]) -> set[str]:
    found: set[str] = set()
    for index, token in enumerate(tokens):
        unit = _UNIT_OF.get(token.text)
        if unit is None:
            continue
        behind_number = index > 0 and (tokens[index - 1].kind == "number" or tokens[index - 1].text in _SMALL)
        if behind_number or not (unit in _AMBIGUOUS or token.text in _AMBIGUOUS_WORDS):
            found.add(unit)
    return found
