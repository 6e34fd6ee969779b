"""Two satellites and the device itself, one skill, and whose words are whose."""

from ovos_bus_client import Message, Session, SessionManager


def hear(session: Session, utterance: str) -> Message:
    """What a participant says, with its session, as it travels over the bus."""
    context = {"source": session.session_id, "session": session.serialize()}
    said = Message("recognizer_loop:utterance", {"utterances": [utterance]}, context)
    return Message.deserialize(said.serialize())


def skill(message: Message) -> None:
    """Ask back: the next utterance of this participant, and of no other, is for this skill."""
    session = SessionManager.get(message)
    session.activate_skill("coffee.skill")
    session.enable_response_mode("coffee.skill")
    print(f"{session.session_id}: asked in {session.lang}, at {session.site_id}")


kitchen = Session("kitchen", lang="pt-PT", site_id="ground floor")
attic = Session("attic", blacklisted_skills=[])  # an empty list is given, and means none
device = SessionManager.default_session

for participant in (kitchen, device):
    skill(hear(participant, "make coffee"))

for participant in (kitchen, attic, device):
    known = SessionManager.get(hear(participant, "with milk"))
    states = known.utterance_states or "no question is open"
    print(f"{known.session_id}: {states}")

# What is left out on the wire is as the receiver is configured.
print(kitchen.serialize())
print(Session("nobody yet").serialize())
