"""A caller of our own: speaks the carrier's side of the wire.

result = await PhoneCaller(Server("http://127.0.0.1:8080")).call(
    CallIdentity("+15550111", "+15550100"),
    conversation([CallerVoice().speak("Are you open on Saturday?")]),
)
"""
