"""What is said in the demo's conversations, by who speaks and about what."""

from __future__ import annotations

FIRST = {
    "seller": (
        "Hi, what would my house on {street} sell for?",
        "I saw your page about home values. I own a place in {city}.",
        "We are thinking of selling in {city}. Can somebody call me?",
        "Got your letter about {street}. Is it a good time to sell?",
    ),
    "buyer": (
        "Is the house on {street} still available?",
        "We are looking for three bedrooms in {city}.",
        "Can I see the place on {street} this weekend?",
        "First-time buyer here. What can I get in {city}?",
    ),
}
QUESTIONS = {
    "motivation": "What makes you think of selling, and where would you move to?",
    "timeline": "If we could make it work, would 30 to 45 days suit you?",
    "condition": "How is the house: move-in ready, or would it need work?",
    "price": "Which price would feel right to you?",
    "budget": "Which budget are you comfortable with?",
    "financing": "Have you talked to a lender, or are you pre-approved?",
    "area": "Which part of {city} do you like best?",
}
AGENT_TEXTS = (
    "Hi {first}, {agent} here. When is a good time for a short call?",
    "Hi {first}, I put together the latest sales around {street}. Shall I send them?",
    "Checking in, {first}: anything new on your side?",
    "Hello {first}, two homes near {street} sold last week. Want the numbers?",
    "Thanks {first}. I'll have the figures for you tomorrow.",
)
LEAD_REPLIES = (
    "Yes, please send them.",
    "Tomorrow after five works.",
    "We are still deciding, but thanks.",
    "What would the commission be?",
    "Could you come by on Saturday?",
    "Not before the end of the month.",
    "Sounds good, call me.",
    "How long do houses stay on the market now?",
)
STOPS = ("Please stop texting me.", "STOP", "Unsubscribe me, we went with somebody else.")
EMAILS = ("Monthly report for {city}", "Homes like yours on the market", "What sold near {street}")
VISITS = {
    "kept": (
        "Walked through the house together; they asked about timing.",
        "Good meeting, they want figures.",
    ),
    "no-show": ("Nobody was home at the agreed time.", "They did not come; left a message."),
}
NOTES = (
    "Met {first} at the door. They would sell for {price} if they can stay until school ends.",
    "{first} wants to be out in {days} days. Roof is old, kitchen was redone.",
    "Talked about {price}. Partner has to agree; call again on Thursday.",
    "Neighbour of {first} says two more owners on {street} think of selling.",
    "{first} is comparing us with another broker. Bring the net sheet next time.",
)
TASKS = {
    "call": "Call {first} back",
    "text": "Text {first} about the figures",
    "email": "Send {first} the latest sales",
    "visit": "Visit {first} on {street}",
    "follow_up": "Follow up with {first}",
    "todo": "Prepare the net sheet for {first}",
}
LOST_REASONS = ("went with another broker", "decided to stay", "no answer for months", "price too far apart")
