"""What the volatile signal looks for: per label, words that must occur and the pattern of a question.

A translator extends `OTHER_LANGUAGES`; each language there has its own prompts in the tests.
"""

# ruff: noqa: E501 - an alternation reads best in one line

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of question whose answer is true only now."""

    label: str
    #: In lower case; the pattern is tried only on a text that has one of them.
    words: frozenset[str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, label: str, words: str, *patterns: str) -> Pattern:
        """`words`: with spaces between them; `patterns`: of a text in lower case, any of which will do."""
        return cls(label, frozenset(words.split()), re.compile("|".join(patterns)))


_ASK: Final = r"\b(?:what(?:'s| is| are| was| were)|how(?:'s| is| are)|check|show|tell|give|get|find|read)\b"
_END: Final = r"[?.! ]*$"
#: The start of a question or command about facts; "why", "how do I" and "write" ask for something else.
_FACT: Final = (
    r"(?:^|[.!?,] )(?:(?:hey|hi|hello|please|ok|so|and|can you|could you|alexa|siri)[, ]+)*"
    r"(?:what|who|whom|when|where|which|is|are|was|do|does|did|will|has|have|how(?:'s| is| many| much)|any"
    r"|anything|show|check|list|find|get|tell me|give me|should i|can i)\b"
)
_NOW: Final = (
    r"(?:today|tonight|right now|just now|at the moment|at this moment|currently|as of now|tomorrow"
    r"|yesterday|last night|this (?:week|weekend|month|morning|afternoon|evening|season))"
)
_COMMODITY: Final = (
    r"(?:bitcoin|btc|ethereum|eth|crypto\w*|dogecoin|gold|silver|oil|crude|gas|gasoline|petrol|diesel|stocks?"
    r"|shares?|copper|wheat|electricity|\w+ stock|\w+ shares?)"
)
_CURRENCY: Final = r"(?:usd|eur|gbp|jpy|inr|cny|chf|dollars?|euros?|pounds?|yen|rupees?|yuan|francs?|pesos?)"
_OFFICE: Final = (
    r"(?:president|prime minister|ceo|king|queen|pope|chancellor|mayor|governor|leader|chairman|champions?"
    r"|secretary|minister|manager|head coach|captain|director)"
)
_MINE: Final = (
    r"(?:orders?|balance|inbox|e-?mails?|messages?|notifications?|calendar|schedule|agenda|appointments?"
    r"|meetings?|package|parcel|delivery|shipment|flight|reminders?|alarms?|to-?do list|shopping list|cart"
    r"|bank account|credit score|bills?|location|reservation|refund|transactions?|tickets?|tasks?|payments?|invoices?"
    r"|subscription|bookings?|wallet|portfolio|quota|usage|points)"
)

_PLACE: Final = (
    r"(?:restaurant|shop|store|pharmacy|bank|museum|library|office|gym|pool|bakery|supermarket|market|caf[eé]|mall"
    r"|zoo|park|cinema|clinic|station|airport|border)"
)

#: A text about what is new, whoever writes it.
DIGEST: Final = (
    r"\b(?:summar(?:y|ies|i[sz]e)|recap|overview|digest|briefing|roundup)\b.{0,20}"
    r"\b(?:today's|(?:this|last) (?:week|month|night)'s|latest news|the news|the latest)"
)

#: Tried in this order; the first that is found is the label.
ENGLISH: Final = (
    Pattern.of(
        "personal",
        "my unread i me any",
        # As typed into a search box: "my orders", "show my orders", "did my payment go through".
        rf"^(?:(?:show|list|check|see|track|open|read|get)(?: me)? )?my (?:\w+ ){{0,2}}(?:{_MINE}|tickets|payments?|invoices?){_END}",
        rf"^what(?:'s| is) my (?:\w+ ){{0,2}}(?:balance|credit score){_END}|^any (?:new )?(?:mail|e-?mails?|messages?){_END}",
        r"\bhow many (?:e-?mails?|messages|orders|notifications) (?:did|do|have) i\b",
        rf"^is my [\w ]{{2,30}} ready(?: yet)?{_END}|^where(?:'s| is) my (?:driver|courier|taxi|bus|train|luggage)\b",
        r"\b(?:did|has|have) my [\w ]{1,30} (?:go(?:ne)? through|arrived?|come|ship(?:ped)?|cleared)\b",
        r"\bdo i have (?:any |new ){1,2}(?:\w+ )?(?:messages?|mail|e-?mails?|notifications?)\b",
        rf"{_ASK}(?: \w+){{0,3}} my (?:\w+ )?{_MINE}\b",
        rf"\b(?:where|when|has|have|is|are|did|track|list|open|how much|how many)\b(?: \w+){{0,3}} my (?:\w+ )?{_MINE}\b",
        r"\b(?:how many|any|have|got|read|show|are there|my|the) (?:\w+ ){0,2}unread\b|\bunread (?:e-?mails?|messages?)\b",
        r"\bdo i (?:still )?have\b.{0,30}\b(?:today|tomorrow|meetings?|appointments?|messages?|e-?mails?|alarms?|left)\b",
        rf"\bwhere am i{_END}|\bhow many .{{1,30}} (?:do i have left|are left on my)\b",
    ),
    Pattern.of(
        "time",
        "time date day days weeks months year week month old date? time? next today's until till sunset sunrise",
        rf"^(?:the )?(?:current |local )?(?:time|date)(?: and (?:time|date))?"
        rf"(?: (?:now|today|right now|please|here|in (?!a |an |the )[\w']{{3,20}}))+{_END}",
        rf"\bcurrent (?:date and time|time and date){_END}|\bwhat week (?:number )?is it\b",
        rf"^(?:how long|days|weeks|time) (?:until|till) [\w' ]{{3,30}}{_END}|^(?:when is the )?next (?:full moon|eclipse|bus|train|flight|holiday){_END}",
        r"\b(?:how long|when) (?:until|till|is|does) (?:the )?(?:sunset|sunrise|sun (?:set|rise))\b",
        rf"\bhow old is the (?:\w+ )?{_OFFICE}\b",
        r"\bwhat (?:time|day|date|year|month)(?: of the (?:week|month|year))? (?:is it|is today|are we in)\b",
        rf"\bwhat(?:'s| is) (?:the (?:current |exact |local )?|today's )(?:time|date|day)"
        rf"(?: (?:today|now|right now|here|in (?!a |an |the )[\w' ]{{2,30}}))*{_END}",
        r"\btoday's date\b|\bthe current (?:time|date)\b|\bdo you (?:have|know) (?:the|what) time\b",
        r"\bhow many (?:more )?(?:days|weeks|months|hours)(?: are| is)?(?: there)?(?: left)? (?:until|till|since|left)\b",
        r"\bhow old (?:is|am|are you)\b(?! (?:the|a|an|it|this|that|too)\b)",
        r"\b(?:when|what time)(?:'s| is| does| are) (?:the |my )?next\b",
    ),
    Pattern.of(
        "price",
        "price prices rate rates cost worth trading much dow nasdaq dax ftse nikkei market usd eur gbp dollar dollars euro euros stock shares",
        rf"\bhow much (?:is|are) (?:an? |one )?{_COMMODITY}{_END}|\bhow much (?:is|are) [\w' ]{{1,30}} (?:now|today){_END}",
        rf"\bprices? of [\w' ]{{1,30}} (?:right now|now|today){_END}|\b(?:stock|share) price{_END}",
        r"^how(?:'s| is) the (?:stock )?market (?:doing|today)\b|\bwhat(?:'s| is) the (?:dow(?: jones)?|nasdaq|s&p(?: 500)?|dax|ftse|nikkei) (?:at|now|today|doing)\b",
        rf"\b(?:price|value|cost)s? of (?:a |an |one |the |some )?(?:\w+ )?{_COMMODITY}\b",
        rf"\b{_COMMODITY} (?:price|rate|value)s?{_END}|\b{_COMMODITY} prices? (?:today|now|right now|in)\b",
        rf"{_ASK}.{{0,25}}\b(?<!is )(?<!are )(?<! an )(?<! a )(?:exchange|interest|mortgage|inflation|conversion) rates?"
        rf"(?: (?:today|now|for|between|from|in (?!a |economics)).*)?{_END}",
        r"\bhow much (?:is|are|does|do) (?:an? |one |the )?[\w' ]{1,40} (?:cost|worth|trading)\b",
        rf"\b{_CURRENCY} (?:to|in|into) {_CURRENCY}\b|\b{_CURRENCY}.{{0,5}} exchange rate\b",
        r"\b(?:current|latest|today's) (?:\w+ ){0,3}(?:prices?|rates?)\b",
    ),
    Pattern.of(
        "weather",
        "weather forecast rain raining snow snowing umbrella jacket coat temperature sunny hot cold warm windy air uv pollen tide",
        # Two words or three, as typed into a search box.
        rf"^(?:current |local )?weather(?! (?:balloon|pattern|station|vane|map|symbol|system|the)s?\b)(?: [\w,'-]+){{0,2}}{_END}",
        rf"^(?:the )?forecast\b(?: \w+){{0,4}}{_END}|\bhow (?:hot|cold|warm|windy) is it\b(?! (?:on|in|inside|at) (?:the (?:sun|moon|core)|mars|venus|space))",
        r"\bweather (?:forecast )?(?:today|tomorrow|tonight|now|right|this|in|for|at|near|here|outside|like|report)\b",
        rf"{_ASK}.{{0,12}}\bthe (?:weather|forecast)\b(?! (?:balloon|cycle|front|map|pattern|station|symbol|system|vane))",
        r"\bwill it (?:rain|snow|be (?:sunny|hot|cold|windy))\b|\bis it (?:raining|snowing|sunny|going to (?:rain|snow))\b",
        r"\bdo i need (?:an? |my )?(?:umbrella|jacket|coat)\b",
        r"\btemperature (?:outside|today|now|right now|tomorrow|here)\b",
        rf"{_ASK} (?:the )?(?:air quality|uv index|pollen count|water temperature|tide) (?:in|at|near|for)\b",
    ),
    Pattern.of(
        "score",
        "score scores winning won win leads leading ahead first standings",
        rf"^did [\w ]{{2,30}} win{_END}|\bwho(?:'s| is)? (?:leads|leading) (?:the|in the) (?:polls|league|race|table|standings)\b|\blive scores?\b|^who won the (?:\w+ )?(?:election|game|match|race|lottery){_END}",
        rf"\b(?:what(?:'s| is| was)|show|check|tell me|give me) (?:me )?the (?:\w+ ){{0,3}}scores?"
        rf"(?: (?:now|today|right now|of the (?:\w+ ){{0,3}}(?:game|match)))?{_END}",
        r"\bwho(?:'s| is) (?:leading|ahead|in the lead)\b|\bwhich team (?:is|'s) (?:first|leading|ahead|top)\b",
        r"\bwho(?:'s| is) winning\b|\b(?:current|league|latest) standings\b",
        rf"\b(?:who won|did .{{1,30}} win)\b.{{0,40}}\b(?:{_NOW}|last (?:game|match))\b",
    ),
    Pattern.of(
        "news",
        "latest news headlines happening happened updates update trending today's",
        rf"^(?:the )?news{_END}|^any updates?\b|\bwhat(?:'s| is) the latest (?:on|about|from)\b|\bwhat(?:'s| is) trending\b",
        r"\b(?:latest|today's|recent|breaking|current|top|this week's) (?:\w+ ){0,2}(?:news|headlines)\b",
        r"\bnews (?:today|about|on|from)\b|\b(?:any|tell me|read me|give me|show me|read) (?:the )?(?:\w+ )?news\b",
        r"\bwhat(?:'s| is) (?:the news|new in the news|in the news|happening (?:in|with|today|now|right now))\b",
        rf"\bwhat happened .{{0,30}}{_NOW}",
        DIGEST,
    ),
    Pattern.of(
        "status",
        "down offline online working status stock traffic outage outages delayed available sold reachable back up left busy full queue size closed open delays delay incidents running close wait waiting",
        rf"^(?:are there|any) delays\b|^what(?:'s| is) the wait(?:ing)? time\b|^when does the {_PLACE} (?:open|close)\b",
        rf"^status of (?:the|my|our) \w+|\b(?:order|flight|shipment|delivery|ticket)(?: [\w#-]{{1,20}})? status{_END}",
        rf"^(?:is|are) (?:the|our|my|your) [\w.\- ]{{1,40}} up(?: again)?{_END}",
        rf"\bhow many (?:seats|tickets|rooms|spots|places|tables) are (?:still )?(?:left|available|free)(?: (?:for|on|at|in) .{{1,30}})?{_END}|^how (?:busy|full|long) (?:is|are) the (?:queue|line|airport|car park|parking|{_PLACE})\b|^do you have size\b|^is (?:the )?(?:road|bridge|tunnel|[am]\d{{1,3}}|i-?\d{{1,3}}) (?:open|closed)\b",
        rf"\b(?:is|are) (?:the |our |my |your )?[\w.\- ]{{1,40}} (?:down|offline|online|up and running|back up"
        rf"|working|reachable|in stock|sold out|delayed)(?: (?:again|right now|now|today|yet|at the moment"
        rf"|for everyone|in (?:size )?\w+))*{_END}",
        rf"{_ASK}(?: me)? (?:the )?(?:current )?status of (?:the|my|our)\b|\b(?:server|service|build|deployment|system) status{_END}",
        r"\b(?:is|are) (?:the|our|my) (?:[\w-]+ ){0,2}(?:trains?|buses|ferr(?:y|ies)|trams?|flights?|servers?|jobs?|cluster|build) running\b",
        r"\b(?:is|are) there (?:a |any )?(?:delays?|incidents?)\b|\bopen incidents?\b|\bstill in stock\b|\bout of stock\b.{0,20}\?|\bany outages?\b|\b(?:is|are) there (?:an?|any) outages?\b",
        r"\btraffic (?:like|today|now|right now|report|near)\b|\bhow(?:'s| is) (?:the )?traffic\b",
    ),
    Pattern.of(
        "office",
        "current currently present incumbent reigning president ceo minister king queen pope chancellor mayor"
        " governor richest",
        r"\bwho(?:'s| is| are) (?:the )?(?:current|currently|present|incumbent|reigning)\b",
        rf"\bwho(?:'s| is) (?:the )?(?:\w+ )?{_OFFICE} of\b|\bcurrent (?:\w+ )?{_OFFICE}\b",
        rf"^who(?:'s| is) (?:the |our )?(?:president|prime minister|pope|king|queen|chancellor|mayor|governor){_END}",
        r"\bwho(?:'s| is) the richest\b",
    ),
    Pattern.of(
        "now",
        "today tonight now moment currently tomorrow yesterday night week weekend month morning afternoon"
        " evening season today's latest newest recent current yet still open closed near playing movies films upcoming"
        " online waiting left live pending ongoing trending usage load utilization utilisation new developments",
        rf"{_FACT}.{{0,80}}\b{_NOW}(?! (?:world|society|age))\b",
        rf"{_FACT}.{{0,80}} now{_END}",
        # A few words without a verb: "cheapest flights to Rome tomorrow", "today's menu".
        rf"^(?!i |we |he |she |they |it |let|why|how to)(?:[\w'-]+ ){{1,6}}(?:today|tonight|tomorrow|right now|this weekend){_END}",
        rf"^today's \w+(?: \w+)?{_END}|^(?:upcoming|tonight's) \w+",
        rf"\b(?:is|are) (?:the|our|your) (?:\w+ )?{_PLACE}s? (?:open|closed){_END}",
        rf"\bwhat (?:movies|films) are (?:in|on)\b|\bwhat (?:version|release) of .{{1,30}} is (?:current|the latest){_END}",
        r"\b(?:latest|newest|most recent|current) (?:[\w.]+ ){0,3}(?:version|release|update|episode|status|results?"
        r"|rankings?|situation|inflation|unemployment|record|champions?|patch|posts?|balance|job openings|deals|score"
        r"|iphone|population|market|earnings)\b",
        rf"\b(?:is|are|has|have|did) .{{1,60}} yet{_END}",
        r"\b(?:is|are) (?:the |my |our )?[\w'. ]{1,40} still (?:open|down|up|running|alive|available|going|working|the)\b",
        r"\b(?:is|are) .{1,40}\bopen (?:now|today|tomorrow|right now|on \w+day)\b|\bnear me\b",
        r"\bwhat(?:'s| is) (?:on tv|playing|on at)\b|\bwhat (?:song|music|track|show) is (?:playing|on|this)\b",
        # Whatever is the latest, but for what is a term: the most recent common ancestor, current ratio.
        rf"{_FACT}(?: [\w']+){{0,4}} (?:latest|newest|most recent(?! common)|live(?= \w+{_END})|pending|ongoing|trending)\b",
        rf"{_FACT}(?: [\w']+){{0,3}} (?:the|our|your|my) current (?!in\b|through|of\b|ratio|divider|density|account|event|flow|law"
        r"|source|mirror|affair|limit|transformer|theory|loop|sheet)[a-z]",
        r"\b(?:cpu|gpu|memory|ram|disk|network|bandwidth) (?:usage|load|utili[sz]ation) (?:of|on|for) (?:the|my|our|this)\b",
        r"\b(?:is|are) (?:the|my|our) (?:[\w-]+ ){1,4}still (?:\w+ing|broken|there|valid|blocked|empty|full)\b",
        r"\bhow many (?:[\w-]+ ){1,3}are (?:online|logged in|waiting|connected|left|in (?:the )?queue)\b",
        r"\b(?:recent|latest|new) (?:developments?|updates?) (?:in|on|with|about|to|from)\b|\bwhat(?:'s| is) new (?:in|with|at|on)\b",
    ),
)

#: One of them is in every text that a pattern finds.
ENGLISH_WORDS: Final = frozenset[str]().union(*(pattern.words for pattern in ENGLISH))

#: The obvious words of other languages, each with a pattern of whole words; short questions only.
OTHER_LANGUAGES: Final = {
    "de": r"wie spät ist es|wieviel uhr|wie viel uhr|welche[rsn]? (?:tag|datum) (?:ist|haben wir)|heute|heute abend|"
    r"gerade jetzt|im moment|derzeit|zurzeit|aktuell\w*|neueste nachrichten|wie (?:wird|ist) das wetter|"
    r"mein(?:e|en)? (?:bestellung|kontostand|termine)|ungelesene?",
    "fr": r"quelle heure est-il|quel jour sommes-nous|aujourd'hui|ce soir|en ce moment|actuellement|actuel(?:le)?|"
    r"quel temps fait-il|dernières nouvelles|mes commandes|ma commande|mon solde|non lus?",
    "es": r"qué hora es|qué día es|hoy|esta noche|ahora mismo|actualmente|precio actual|qué tiempo hace|"
    r"últimas noticias|mis pedidos|mi pedido|mi saldo|sin leer",
    "pt": r"que horas são|que dia é|hoje|esta noite|agora mesmo|atualmente|preço atual|como está o tempo|"
    r"últimas notícias|meus pedidos|meu pedido|meu saldo|não lidas?",
    "it": r"che ore sono|che ora è|che giorno è|oggi|stasera|in questo momento|attualmente|prezzo attuale|"
    r"che tempo fa|ultime notizie|i miei ordini|il mio ordine|il mio saldo|non lett[ie]",
    "nl": r"hoe laat is het|welke dag is het|vandaag|vanavond|op dit moment|momenteel|huidige|"
    r"wat voor weer|laatste nieuws|mijn bestelling|mijn saldo|ongelezen",
}
