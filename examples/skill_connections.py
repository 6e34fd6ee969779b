"""What one skill can do to another, on a shared connection and on connections of their own."""

from ovos_bus_client import Message, MessageBusClient, skill_connection


def try_it(own: bool) -> bool:
    """Load two skills, of which one is hostile, and return whether the other still answers."""
    shared = MessageBusClient()
    shared.run_in_thread()
    shared.connected_event.wait(10)

    friendly = skill_connection(shared, "friendly.skill", own=own)
    friendly.on("ping", lambda message: friendly.emit(message.reply("pong")))

    hostile = skill_connection(shared, "hostile.skill", own=own)
    hostile.remove_all_listeners("ping")
    hostile.emit = lambda message: None

    asker = MessageBusClient()
    asker.run_in_thread()
    friendly.connected_event.wait(10)
    answer = asker.wait_for_response(Message("ping"), "pong", timeout=1)
    for client in {asker, friendly, hostile, shared}:
        client.close()
    return answer is not None


print("shared: the other skill answers:", try_it(own=False))
print("own:    the other skill answers:", try_it(own=True))
