"""Questions that look like one of a line's facts and are not answered by it, and plain ones that are.

The traps were written before the guard was. Each has the line, what the caller asked before (or nothing),
and the words. Several are as speech to text writes them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OTHER_LINES", "OTHER_THINGS", "PLAIN", "TRAPS"]

TRAPS: Final[tuple[tuple[str, str, str], ...]] = (
    # another animal, person or thing
    ("harbor-dental", "", "How much is a cleaning for my dog?"),
    ("harbor-dental", "", "Do you do teeth whitening for cats?"),
    ("harbor-dental", "", "I have a dog, how much is a cleaning?"),
    ("harbor-dental", "", "how much is a cleaning for my son"),
    ("harbor-dental", "", "What does it cost to have my dentures cleaned?"),
    ("harbor-dental", "", "Is there parking for a trailer?"),
    ("hilltop-cycles", "", "How much is a tune-up for a motorcycle?"),
    ("hilltop-cycles", "", "Do you rent bikes with a child seat?"),
    ("hilltop-cycles", "", "How much are new brake pads for my car?"),
    ("hilltop-cycles", "", "Can I test ride a tandem?"),
    # another place
    ("harbor-dental", "", "Where can I park in Boston?"),
    ("harbor-dental", "", "Where is your office in Portland?"),
    ("hilltop-cycles", "", "Can you pick my bike up from home in Denver?"),
    ("hilltop-cycles", "", "Do you rent bikes at the airport?"),
    # another day or time
    ("harbor-dental", "", "Are you open on the first Sunday of the month?"),
    ("harbor-dental", "", "Are you open at nine in the evening on Monday?"),
    ("harbor-dental", "", "Does anyone speak Spanish on Saturday?"),
    ("hilltop-cycles", "", "Do you rent bikes on Monday?"),
    ("hilltop-cycles", "", "How much is it to hire a bike for a month?"),
    ("hilltop-cycles", "", "Can you fix a flat tire tonight?"),
    # negation
    ("harbor-dental", "", "Which insurance do you not take?"),
    ("harbor-dental", "", "Do you see children without a parent?"),
    ("hilltop-cycles", "", "What does the warranty not cover?"),
    ("hilltop-cycles", "", "Which electric bikes can't you repair?"),
    # two questions in one
    ("harbor-dental", "", "Is there parking and how far is it from the station?"),
    ("harbor-dental", "", "How much is a cleaning and does it hurt?"),
    ("hilltop-cycles", "", "Do you rent bikes, and do I need a passport?"),
    ("hilltop-cycles", "", "What does a tune-up cost and do you wash the bike?"),
    # comparison
    ("harbor-dental", "", "Is whitening cheaper than veneers?"),
    ("harbor-dental", "", "Is Delta Dental better than Cigna?"),
    ("hilltop-cycles", "", "Are your used bikes more expensive than new ones?"),
    ("hilltop-cycles", "", "Which is the best electric bike?"),
    # something else of the same thing
    ("harbor-dental", "", "When can I park there?"),
    ("harbor-dental", "", "Why is whitening so expensive?"),
    ("harbor-dental", "", "How many dentists speak Spanish?"),
    ("hilltop-cycles", "", "Who does the repairs?"),
    ("hilltop-cycles", "", "How often do I need a tune-up?"),
    # what leans on what was said before
    ("harbor-dental", "How much is a cleaning?", "And for children?"),
    ("harbor-dental", "Do you do teeth whitening?", "And how much is it for two people?"),
    ("harbor-dental", "Do you take Aetna?", "Is that covered by my plan?"),
    ("hilltop-cycles", "Do you rent bikes?", "How much is that for a day?"),
    ("hilltop-cycles", "Do you sell e-bikes?", "Do they come with a guarantee?"),
    ("hilltop-cycles", "How much is a tune-up?", "What about electric bikes?"),
)

OTHER_THINGS: Final[tuple[tuple[str, str], ...]] = (
    ("harbor-dental", "How much is a cleaning for my dog?"),
    ("harbor-dental", "how much is a cleaning for a rabbit"),
    ("harbor-dental", "Do you do teeth whitening for cats?"),
    ("harbor-dental", "I'd like to make an appointment for my hamster."),
    ("hilltop-cycles", "How much is a tune-up for a motorcycle?"),
    ("hilltop-cycles", "How much are new brake pads for my car?"),
)
"""Of something that the whole line never speaks of: its facts have no answer either."""

PLAIN: Final[tuple[tuple[str, str, str], ...]] = (
    ("harbor-dental", "", "Do you take kids?"),
    (
        "harbor-dental",
        "",
        "What does it cost to get my teeth cleaned if I don't have any insurance at all?",
    ),
    ("harbor-dental", "", "Where can I park?"),
    (
        "harbor-dental",
        "",
        "Hi there, I've been having this awful toothache since last night, is there any way the dentist "
        "could see me today?",
    ),
    ("harbor-dental", "", "Do you accept Aetna?"),
    ("harbor-dental", "", "Does anybody there speak Spanish?"),
    (
        "harbor-dental",
        "",
        "I have never been to your practice before. Are you accepting new patients at the moment?",
    ),
    ("harbor-dental", "", "What are your hours on Wednesday?"),
    ("hilltop-cycles", "", "How much is a tune up?"),
    ("hilltop-cycles", "", "Do you fix flats?"),
    ("hilltop-cycles", "", "Can I try a bike out before I buy it?"),
    ("hilltop-cycles", "", "My daughter is turning six next month, do you have bikes her size?"),
    ("hilltop-cycles", "", "When will my bike be ready?"),
    ("hilltop-cycles", "", "Are your repairs guaranteed?"),
    (
        "hilltop-cycles",
        "",
        "I live about five miles out of town and I don't have a car. Could you pick the bike up from my "
        "house?",
    ),
    ("hilltop-cycles", "", "Do you sell used bikes?"),
    ("hilltop-cycles", "", "Can you repair the motor on my electric bike?"),
    ("harbor-dental", "", "um how much is a cleaning please"),
    ("harbor-dental", "", "Hi, uh, what do you charge to clean my teeth?"),
    ("harbor-dental", "", "how much does teeth whitning cost"),
    ("harbor-dental", "", "do you take delta dentle insurence"),
    ("harbor-dental", "", "We just moved here, do you accept new patience?"),
    ("harbor-dental", "", "Are you guys open right now?"),
    ("harbor-dental", "", "until what time are you there on thursdays"),
    ("harbor-dental", "", "Are you open on Christmas Day?"),
    ("harbor-dental", "", "I'm coming by car, is there somewhere to park?"),
    ("harbor-dental", "Where are you?", "And is there parking?"),
    ("harbor-dental", "", "My insurance is with Cigna, is that okay with you?"),
    ("harbor-dental", "", "I want to schedule a visit for my wife."),
    ("hilltop-cycles", "", "I've got a flat, can you fix it while I wait?"),
    ("hilltop-cycles", "", "Hi, what do you charge for a tune up?"),
    ("hilltop-cycles", "", "How soon would I get my bike back?"),
    ("hilltop-cycles", "", "How much to rent a city bike for the day?"),
    ("hilltop-cycles", "How much is a tune-up?", "Okay, thanks. Do you rent bikes?"),
    ("hilltop-cycles", "", "what time do you close on Thursday"),
    ("hilltop-cycles", "", "Should I call ahead before I bring it to the workshop?"),
)

OTHER_LINES: Final[tuple[tuple[str, str], ...]] = (
    ("larkspur-inn", "Is breakfast included for my dog?"),
    ("larkspur-inn", "Can I bring my horse?"),
    ("larkspur-inn", "What does a suite cost?"),
    ("larkspur-inn", "How much is a room in December?"),
    ("larkspur-inn", "How much is a room for three people?"),
    ("larkspur-inn", "Is the sauna cheaper than the pool?"),
    ("larkspur-inn", "What is not included in breakfast?"),
    ("larkspur-inn", "Can I park my bus behind the house?"),
    ("larkspur-inn", "When does the ferry come back?"),
    ("larkspur-inn", "How deep is the lake where we can swim?"),
    ("larkspur-inn", "Is there a restaurant in Chicago?"),
    ("larkspur-inn", "Do you have wifi and is there a printer?"),
    ("larkspur-inn", "What time is breakfast on Christmas?"),
    ("larkspur-inn", "Can I check in before noon?"),
    ("hilltop-rentals", "How much is a bike for an hour?"),
    ("hilltop-rentals", "How much is a kayak for a day?"),
    ("hilltop-rentals", "Are helmets included for babies?"),
    ("hilltop-rentals", "Can I bring the bike back to Moab?"),
    ("hilltop-rentals", "Is there a discount for students?"),
    ("hilltop-rentals", "What if the helmet gets stolen?"),
    ("hilltop-rentals", "Can my daughter rent a motorbike?"),
    ("hilltop-rentals", "Which trail is not good for beginners?"),
    ("hilltop-rentals", "Can I reserve a bike without a card?"),
    ("hilltop-rentals", "How long is the trail for beginners in winter?"),
)
"""Traps on two lines that nothing of the guard was made with. Written after it, and not tuned on."""
