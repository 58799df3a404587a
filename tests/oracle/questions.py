"""What callers ask in their own words, and the topics that answer it. An empty set: nobody knows.

None of these is a sample question of its flow. Several carry what speech to text makes of them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["HELD_OUT", "QUESTIONS"]

_HOURS = {"opening-hours", "business-hours"}
_WEEKEND = {"weekend", "business-hours"}
_PLACE = {"location", "business-address"}
_WHEN = {"when-open", "business-hours"}
_WHERE = {"where-to-find-us", "business-address"}

QUESTIONS: Final[tuple[tuple[str, str, tuple[set[str], ...]], ...]] = (
    ("harbor-dental", "Um, hi, could you tell me when you guys open up?", (_HOURS,)),
    ("harbor-dental", "until what time are you there on thursdays", (_HOURS,)),
    ("harbor-dental", "Are you open on Tuesday?", (_HOURS,)),
    ("harbor-dental", "Are you guys open right now?", (_HOURS,)),
    ("harbor-dental", "So I work during the week, can I come by on a Saturday?", (_WEEKEND,)),
    ("harbor-dental", "Are you closed on Sundays?", (_WEEKEND,)),
    ("harbor-dental", "Hi there, where exactly are you guys?", (_PLACE,)),
    ("harbor-dental", "What street is the practice on?", (_PLACE,)),
    ("harbor-dental", "I'm coming by car, is there somewhere to park?", ({"parking"},)),
    (
        "harbor-dental",
        "Yeah hi, I'd like to come in for a checkup some time next week.",
        ({"book-appointment"},),
    ),
    ("harbor-dental", "I have an appointment on Monday and I can't make it.", ({"cancel-appointment"},)),
    ("harbor-dental", "My tooth has been killing me since last night.", ({"emergency"},)),
    ("harbor-dental", "I chipped a tooth playing hockey.", ({"emergency"},)),
    ("harbor-dental", "We just moved here, do you accept new patience?", ({"new-patients"},)),
    ("harbor-dental", "do you take Signa insurance", ({"insurance"},)),
    ("harbor-dental", "Do you accept Aetna?", ({"insurance"},)),
    ("harbor-dental", "What would a cleaning set me back?", ({"cleaning-price"},)),
    ("harbor-dental", "How much do you charge to clean my teeth?", ({"cleaning-price"},)),
    ("harbor-dental", "how much does teeth whitning cost", ({"whitening"},)),
    ("harbor-dental", "Do you see kids? My son is five.", ({"children"},)),
    ("harbor-dental", "Can I use my credit card?", ({"payment"},)),
    ("harbor-dental", "Could I pay that off over a few months?", ({"payment"},)),
    ("harbor-dental", "I'm kind of terrified of dentists to be honest.", ({"anxious-patients"},)),
    ("harbor-dental", "My mother only speaks Spanish, is that okay?", ({"languages"},)),
    ("harbor-dental", "My dad's in a wheelchair, can he get in?", ({"wheelchair"},)),
    ("harbor-dental", "Where are you and is there parking?", (_PLACE, {"parking"})),
    ("harbor-dental", "Do you take Cigna, and how much is a cleaning?", ({"insurance"}, {"cleaning-price"})),
    ("harbor-dental", "Are you open on Saturday? And can I pay by card?", (_WEEKEND, {"payment"})),
    ("harbor-dental", "Am I talking to a real human being?", ({"talk-robot"},)),
    ("harbor-dental", "Okay, thank you very much.", ({"talk-thanks"},)),
    ("harbor-dental", "No, that's everything. Bye.", ({"talk-goodbye"},)),
    ("harbor-dental", "Who won the game last night?", ()),
    ("harbor-dental", "Can you recommend a good restaurant nearby?", ()),
    ("harbor-dental", "Do you sell electric toothbrushes?", ()),
    ("harbor-dental", "Are you open on Christmas Day?", ({"holidays"},)),
    ("harbor-dental", "What's the weather going to be like tomorrow?", ()),
    ("harbor-dental", "Can you fix my washing machine?", ()),
    ("harbor-dental", "What university did the doctor go to?", ()),
    ("hilltop-cycles", "Are you guys open on Saturday?", (_WHEN,)),
    ("hilltop-cycles", "what time do you close on Thursday", (_WHEN,)),
    ("hilltop-cycles", "Where's your shop at?", (_WHERE,)),
    ("hilltop-cycles", "Hi, what do you charge for a tune up?", ({"tune-up"},)),
    ("hilltop-cycles", "I've got a flat, can you fix it while I wait?", ({"flat-tire"},)),
    ("hilltop-cycles", "My breaks make an awful noise.", ({"brakes"},)),
    ("hilltop-cycles", "How soon would I get my bike back?", ({"repair-time"},)),
    ("hilltop-cycles", "Do I have to make an appointment or can I just come in?", ({"drop-off"},)),
    ("hilltop-cycles", "We'd like to rent two mountain bikes on Sunday.", ({"rent-a-bike"},)),
    ("hilltop-cycles", "The battery on my ebike is dead.", ({"electric-bikes"},)),
    ("hilltop-cycles", "My daughter needs her first bike.", ({"kids-bikes"},)),
    ("hilltop-cycles", "Do you have any used bikes?", ({"used-bikes"},)),
    ("hilltop-cycles", "Is there a group I can ride with?", ({"group-rides"},)),
    ("hilltop-cycles", "You fixed it last month and it's broken again.", ({"warranty"},)),
    ("hilltop-cycles", "Could someone come get the bike from my house?", ({"collection"},)),
    ("hilltop-cycles", "How much is a tune-up and how long does it take?", ({"tune-up"}, {"repair-time"})),
    ("hilltop-cycles", "Do you rent bikes, and where is the shop?", ({"rent-a-bike"}, _WHERE)),
    ("hilltop-cycles", "Do you repair cars?", ()),
    ("hilltop-cycles", "Can I speak to the owner about a job?", ()),
    ("hilltop-cycles", "Do you sell coffee?", ()),
    ("hilltop-cycles", "What's the capital of France?", ()),
    ("hilltop-cycles", "Do you sell skis?", ()),
    ("hilltop-cycles", "How tall is the mountain?", ()),
    ("hilltop-cycles", "Can I get a gift card?", ()),
)

HELD_OUT: Final[tuple[tuple[str, str, tuple[set[str], ...]], ...]] = (
    ("harbor-dental", "What are your hours on Friday?", (_HOURS,)),
    ("harbor-dental", "Is it possible to see someone this weekend?", (_WEEKEND | {"emergency"},)),
    ("harbor-dental", "Could I get directions to your office?", (_PLACE,)),
    ("harbor-dental", "Where do I put my car when I get there?", ({"parking"},)),
    ("harbor-dental", "I want to schedule a visit for my wife.", ({"book-appointment"},)),
    ("harbor-dental", "Something came up and I have to reschedule.", ({"cancel-appointment"},)),
    ("harbor-dental", "My crown fell out this morning.", ({"emergency"},)),
    ("harbor-dental", "I'm new in town, can I sign up with you?", ({"new-patients"},)),
    ("harbor-dental", "Does my Delta Dental plan work there?", ({"insurance"},)),
    ("harbor-dental", "what's the price for a cleaning without insurance", ({"cleaning-price"},)),
    ("harbor-dental", "I'd like my teeth to be whiter.", ({"whitening"},)),
    ("harbor-dental", "Is three too young to come in?", ({"children"},)),
    ("harbor-dental", "Do you accept cash?", ({"payment"},)),
    ("harbor-dental", "Can you knock me out for it?", ({"anxious-patients"},)),
    ("harbor-dental", "Habla espanol? Does anyone speak Spanish?", ({"languages"},)),
    ("harbor-dental", "How much is whitening and do you take cards?", ({"whitening"}, {"payment"})),
    ("harbor-dental", "Do you fly to Boston?", ()),
    ("harbor-dental", "What's your favorite color?", ()),
    ("harbor-dental", "How do I bake a chocolate cake?", ()),
    ("hilltop-cycles", "Can I swing by on Friday after work?", (_WHEN,)),
    ("hilltop-cycles", "How do I get there?", (_WHERE,)),
    ("hilltop-cycles", "What would a full service run me?", ({"tune-up"},)),
    ("hilltop-cycles", "I've got a puncture in my back wheel.", ({"flat-tire"},)),
    ("hilltop-cycles", "My bike won't stop when I pull the brake.", ({"brakes"},)),
    ("hilltop-cycles", "Is my bike done yet?", ({"repair-time"},)),
    ("hilltop-cycles", "How much to rent a city bike for the day?", ({"rent-a-bike"},)),
    ("hilltop-cycles", "Do you carry electric bikes?", ({"electric-bikes"},)),
    ("hilltop-cycles", "I want to sell you my old road bike.", ({"used-bikes"},)),
    ("hilltop-cycles", "Do you offer pick up and delivery?", ({"collection"},)),
    ("hilltop-cycles", "Is the repair guaranteed?", ({"warranty"},)),
    ("hilltop-cycles", "Do you have skateboards?", ()),
    ("hilltop-cycles", "Can you book me a flight?", ()),
)
"""Written after the matching was made; of it only the threshold was set with these in view."""
