"""Which questions have an answer that is true only now."""

from __future__ import annotations

import time

import pytest

from router_extproc.signals.volatile import EDGE_CHARS_MAX, volatile_label

VOLATILE = {
    "time": """
        What time is it?
        what's the date today
        What day of the week is it?
        What is the time in Tokyo right now?
        How many days until Christmas?
        how many weeks left until the summer holidays
        How old is Keanu Reeves?
        When is the next bus to the airport?
        Do you have the time?
        days until easter
        next full moon
        time in tokyo
        date today
        current date and time
        what week is it
        How long until sunset?
        How old is the king of Spain?
        """,
    "price": """
        What is the price of gold?
        how much is a tesla model 3 worth
        What's the current bitcoin price?
        usd to eur
        What are mortgage rates today?
        How much does a barrel of oil cost?
        What is Apple's stock price?
        how much is one bitcoin
        how's the market doing
        what is the dow at
        price of eggs now
        """,
    "weather": """
        What is the air quality in Delhi?
        Tell me the current temperature in Oslo
        What's the weather like in Lisbon?
        Will it rain this afternoon?
        do i need an umbrella
        weather tomorrow
        Is it snowing in Oslo?
        What is the temperature outside?
        current weather
        forecast for the weekend
        How cold is it outside?
        weather paris
        """,
    "score": """
        Who is leading the Tour de France?
        Which team is first in the league?
        What's the score of the Lakers game?
        who is winning
        Who won the match last night?
        live scores please
        Did Arsenal win?
        who leads the polls
        who won the election
        """,
    "status": """
        Are there any outages at AWS?
        Is there a delay on the M4?
        Do we have any open incidents?
        Are the trains running?
        How many seats are still available for the show?
        Is the build still failing?
        How many people are online?
        what is the cpu usage of the server
        Is the login server down?
        is github down right now
        Are the blue sneakers in stock?
        What is the status of my deployment?
        How's traffic on the A7?
        Is the payment service back up?
        status of my flight
        what's the order status
        Is the website up?
        is the M25 closed
        do you have size 42 in stock
        How full is the car park?
        How many seats are left?
        how busy is the airport
        Are there delays on the subway?
        When does the store close?
        What is the wait time at the ER?
        """,
    "personal": """
        Show my open tickets
        What are my pending tasks?
        list my recent transactions
        Where is my order?
        How many unread messages do I have?
        What's my account balance?
        show me my calendar
        Do I have any meetings tomorrow?
        Has my package shipped?
        my orders
        Is my car ready?
        Where is my driver?
        what's my credit card balance
        any new mail
        How many emails did I get?
        list my open tickets
        Did my payment go through?
        do I have any new messages
        """,
    "news": """
        Write a summary of today's news
        Recent developments in Gaza
        What's new in Kubernetes?
        What's in the news?
        Tell me the latest headlines.
        any news about the election
        news
        Any updates?
        What's the latest on the merger?
        what's trending
        What happened in Berlin yesterday?
        """,
    "office": """
        Who is the current president of France?
        who is the ceo of Intel
        Who is the president?
        Who is the richest person alive?
        """,
    "now": """
        Which museums are open today?
        What can I watch tonight?
        What is the latest version of Node.js?
        Has the train arrived yet?
        Is the bakery still open?
        Where is the party this weekend?
        Who is on call right now?
        Is the restaurant open?
        cheapest flights to Rome tomorrow
        today's menu
        upcoming concerts in Berlin
        What movies are in theaters?
        what version of Python is current
        Wie wird das Wetter heute?
        Wie spät ist es?
        Quelle heure est-il ?
        ¿Qué hora es?
        Que horas são?
        Che tempo fa a Roma?
        Hoe laat is het?
        """,
}
TIMELESS = """
    What is the weather cycle?
    What does pending mean in promises?
    What is current ratio in accounting?
    What is the most recent common ancestor of whales?
    Explain live variables in compilers
    Do cats still have claws after trimming?
    Explain the news cycle
    How long to boil an egg
    time to live in DNS
    Days to maturity of a bond formula
    What is a wait state?
    How hot is it on the sun?
    Is the glass half full?
    What is the market for lemons?
    Did Rome fall in a day?
    Who wrote Apocalypse Now?
    Who sang Yesterday?
    Why was it unclear who won the race?
    What is the philosophy of the movie Up?
    What is the plot of The Day After Tomorrow?
    What is the weather symbol for fog?
    What is an interest rate?
    What is exchange rate?
    Is the set of reals open?
    Who won the election in 1860?
    What is breaking news in journalism?
    How do weather balloons work?
    What is the current in a circuit?
    Explain current events theory.
    What does now and then mean?
    Compute the latest Fibonacci number below 100.
    What is the time complexity of quicksort?
    Explain the price of anarchy.
    What is today in French?
    How do you say "good weather today" in Spanish?
    Explain real-time systems.
    How do I use datetime.now() in Python?
    Write a poem about today's weather.
    Translate to German: what time is it?
    What is the capital of France?
    Write a function that returns the current date.
    How do I get the current time in JavaScript?
    What is the difference between weather and climate?
    Summarize: The server is down today and my order is late.
    Explain how stock markets work.
    Who was the first president of the United States?
    What does "is the server down" mean?
    Why is the sky blue?
    How does alternating current differ from direct current?
    How old are the pyramids?
    What is a good score function for ranking?
    How do I write my email to a customer?
    Write a story in which it rains tomorrow.
    What is the status code for not found?
    What is a news aggregator?
    How many days are in a leap year?
    What is the present value of an annuity?
    Describe a day in the life of a nurse.
    How do I set up a calendar in Outlook?
    What is still life painting?
    Give me a synonym for recent.
    Suppose it is raining today: what should Bob wear?
    What did Napoleon do after Waterloo?
    How can I score more points in chess?
    What is downtime?
    How is gold mined?
    Explain just-in-time production.
    What is a balance sheet?
    Is the Earth round?
    Convert 5 miles to kilometres.
    How do I track my order?
    How can I get a refund for my order?
    What was the inflation rate in 2019?
    What is the weather like in Crete in October?
    Was ist die Hauptstadt von Frankreich?
    Why did the Roman empire fall?
    """


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


LABELLED = [(label, prompt) for label, text in VOLATILE.items() for prompt in lines(text)]


@pytest.mark.parametrize(("label", "prompt"), LABELLED)
def test_what_is_true_only_now_is_volatile(label: str, prompt: str) -> None:
    assert volatile_label(prompt) is not None


@pytest.mark.parametrize("prompt", lines(TIMELESS))
def test_what_stays_true_is_not_volatile(prompt: str) -> None:
    assert volatile_label(prompt) is None


def test_hostile_text_is_read_in_bounded_time() -> None:
    for part in ("what is my ", "is a ", "current a ", "\"'", "how much is ", "today "):
        began = time.perf_counter()
        volatile_label(part * 100_000)
        assert time.perf_counter() - began < 0.5


def test_long_text_is_read_at_both_ends() -> None:
    filler = "lorem ipsum " * 100
    assert volatile_label(f"What time is it? {filler}") == "time"
    assert volatile_label(filler + "x " * EDGE_CHARS_MAX + "What time is it?") == "time"
    assert volatile_label(f"{filler} What time is it? {filler}") is None
