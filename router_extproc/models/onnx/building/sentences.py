"""Sentences for building the encoder: some to find the range of its channels, others to check it.

No weight is learned from them. They were written for this purpose and cover what clients send: short and
long, chat, code, numbers, other scripts.
"""

from __future__ import annotations

#: Smoothing looks at these.
CALIBRATION = (
    "hello there",
    "Thanks, that was all I needed!",
    "What is the capital of Portugal?",
    "Turn the lights off in the kitchen at half past nine.",
    "Turn the lights on in the kitchen at half past nine.",
    "Why do leaves change colour in autumn?",
    "Which are the main sources of renewable energy?",
    "Prove that the square root of two is irrational.",
    "A train leaves at 14:05 with 96 km to go and averages 64 km/h. When does it arrive?",
    "Compute the integral of x * exp(-x) from 0 to infinity.",
    "def median(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2]",
    "My container exits with code 137 right after start. What should I look at first?",
    "SELECT name, COUNT(*) FROM orders GROUP BY name HAVING COUNT(*) > 3;",
    "I was charged twice for the same order and want one payment back.",
    "Can my landlord keep the deposit because of a scratch on the floor?",
    "Is ibuprofen safe together with a blood pressure tablet?",
    "Explain the difference between monetary and fiscal policy to a school class.",
    (
        "Write a polite note to my team: the review moves from Tuesday to Thursday, same room, and "
        "everybody should bring one example of a decision that they would make differently today."
    ),
    (
        "Summarise the causes of the French Revolution in three sentences, then list the main figures "
        "and say in a few words what each of them wanted, whom they opposed, and how they ended."
    ),
    "Translate into German: the meeting was postponed because nobody had read the report.",
    "¿Cuál es la diferencia entre un virus y una bacteria?",
    "Wie lange muss ein weiches Ei kochen?",
    "Quelle est la population de la ville de Lyon ?",
    "Give me a recipe for lentil soup without onions, for four people, in under forty minutes.",
    "If all bloops are razzies and some razzies are lazzies, are some bloops lazzies?",
    "What happens to the pressure of a gas in a closed vessel when its temperature doubles?",
    "list five names for a small bakery near the sea",
    (
        "Our quarterly report shows 12.4 % growth in the north and a loss of 3.1 % in the south. The "
        "board asks for an explanation on one page: what changed in the market, what changed inside the "
        "company, which of the two weighs more, what we propose to do until the end of the year, what "
        "it costs, and how we will know by the end of the next quarter whether it has worked or not."
    ),
)

#: A built encoder must agree with its float32 graph on these.
HELD_OUT = (
    "good morning, how is it going?",
    "ok",
    "What time is it in Nairobi right now?",
    "Recommend a novel for a long train journey.",
    "Find all primes p for which p + 2 and p + 4 are prime as well.",
    "How much does a litre of sea water weigh, and why is it more than a litre of tap water?",
    "for (int i = 0; i < n; i++) { sum += a[i] * b[i]; }",
    "The build fails with 'undefined reference to main'. Which flag did I forget?",
    "Cancel my subscription, but keep my data until the 31st.",
    "Does a contract need a signature to be binding between two companies?",
    "What are early signs of an iron deficiency?",
    "Who ruled Egypt when the great pyramid of Giza was built?",
    "Compare utilitarian and Kantian answers to the question whether one may ever lie.",
    "¿Qué tiempo hace mañana en Sevilla?",
    (
        "You are given a table of 200 rows with a date, a shop and a turnover. Describe step by step "
        "how to find the three shops whose turnover grew most from the first to the second half of "
        "the year, how to treat shops that opened or closed in between, and how to tell chance from "
        "a real change. Then write the same steps as a short Python function without any library."
    ),
    "Rewrite this so that it sounds friendlier: send me the numbers today or we have a problem.",
)
