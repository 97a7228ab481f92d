"""Telephone calls, from the first ring to what is published after the end."""

from ..cast import Caller
from ..leg import Leg
from ..scene import Scene

SECOND = 1000

VOICEMAIL_WORDS = (
    "Hi, this is about the delivery on Thursday. Please call me back, thanks.",
    "Hello, I have a question about my last invoice. You can reach me all afternoon.",
    "Hey, it's me again — the part arrived, but it's the wrong size. Call me, please.",
)


def answered(scene: Scene, direction: str = "inbound", least_s: int = 20,
             most_s: int = 60) -> Leg:
    """A leg that was answered and is still talking, some time into the conversation."""
    leg = scene.leg(scene.agent(), direction)
    if direction == "inbound":
        scene.wait(200, 600)
        leg.ring()
    else:
        leg.call_out()
    scene.wait(3 * SECOND, 12 * SECOND)
    leg.answer()
    scene.wait(least_s * SECOND, most_s * SECOND)
    return leg


def inbound_answered(scene: Scene) -> None:
    leg = answered(scene)
    leg.hang_up()
    leg.expect("completed")


def outbound_answered(scene: Scene) -> None:
    leg = answered(scene, "outbound")
    leg.hang_up()
    leg.expect("completed")


def ongoing(scene: Scene) -> None:
    answered(scene, least_s=1, most_s=2).expect("connected")


def unanswered(scene: Scene) -> Leg:
    """A leg that rang until Dialpad gave up."""
    leg = scene.leg(scene.agent())
    scene.wait(200, 600)
    leg.ring()
    scene.wait(15 * SECOND, 30 * SECOND)
    return leg


def missed(scene: Scene) -> None:
    leg = unanswered(scene)
    leg.miss()
    leg.hang_up()
    leg.expect("missed")


def gave_up_at_once(scene: Scene) -> None:
    leg = scene.leg(scene.agent())
    scene.wait(100, 200)
    leg.ring(announce=False)
    scene.wait(200, 300)
    leg.hang_up_before_news()
    leg.expect("missed")


def abandoned_in_queue(scene: Scene) -> None:
    leg = scene.leg(scene.cast.call_center)
    scene.wait(500, 1500)
    leg.queue()
    scene.wait(20 * SECOND, 60 * SECOND)
    leg.hang_up()
    leg.expect("abandoned")


def voicemail_empty(scene: Scene) -> None:
    leg = unanswered(scene)
    leg.send_to_voicemail()
    scene.wait(5 * SECOND, 15 * SECOND)
    leg.hang_up()
    leg.expect("voicemail")


def voicemail(scene: Scene) -> None:
    leg = unanswered(scene)
    leg.send_to_voicemail()
    length = scene.rng.randint(6 * SECOND, 20 * SECOND)
    scene.wait(5 * SECOND + length, 9 * SECOND + length)
    leg.hang_up()
    scene.wait(4 * SECOND, 10 * SECOND)
    leg.upload_voicemail(length)
    scene.wait(10 * SECOND, 25 * SECOND)
    leg.transcribe(scene.rng.choice(VOICEMAIL_WORDS))
    leg.expect("voicemail")


def recorded(scene: Scene) -> None:
    leg = answered(scene)
    leg.record()
    leg.hang_up()
    scene.wait(8 * SECOND, 30 * SECOND)
    leg.publish_recording()
    leg.expect("completed")


def recap(scene: Scene) -> None:
    leg = answered(scene)
    leg.hang_up()
    scene.wait(30 * SECOND, 60 * SECOND)
    leg.recap("recap_summary", "The caller asked for a later delivery. Agreed on Friday.")
    scene.wait(SECOND, 3 * SECOND)
    leg.recap("recap_outcome", "Delivery moved to Friday morning")
    leg.recap("recap_purposes", ["Change of delivery date", "Question about the invoice"])
    scene.wait(SECOND, 3 * SECOND)
    leg.recap("recap_action_items", ["Tell the warehouse", "Send the invoice again"])
    leg.expect("completed")


def hold_and_retrieve(scene: Scene) -> None:
    leg = answered(scene)
    leg.hold()
    scene.wait(8 * SECOND, 20 * SECOND)
    leg.retrieve()
    scene.wait(10 * SECOND, 30 * SECOND)
    leg.hang_up()
    leg.expect("completed")


def transferred(scene: Scene) -> None:
    first, second = scene.rng.sample(scene.cast.agents, 2)
    caller = scene.caller()
    leg = scene.leg(first, caller=caller)
    scene.wait(200, 600)
    leg.ring()
    scene.wait(3 * SECOND, 8 * SECOND)
    leg.answer()
    scene.wait(15 * SECOND, 30 * SECOND)
    onward = scene.leg(second, caller=caller)
    onward.follow(leg)
    scene.wait(200, 600)
    onward.ring()
    scene.wait(3 * SECOND, 8 * SECOND)
    onward.answer()
    leg.body["is_transferred"] = True
    leg.hang_up()
    scene.wait(15 * SECOND, 40 * SECOND)
    onward.hang_up()
    leg.expect("completed")
    onward.expect("completed")


def ring_members(scene: Scene, entry: Leg, caller: Caller, members: int) -> None:
    """Ring several members of a group; one answers, talks and hangs up.

    One telephone call thus makes members + 1 legs, each with an id of its own.
    """
    legs = [scene.leg(agent, caller=caller)
            for agent in scene.rng.sample(scene.cast.agents, members)]
    for leg in legs:
        leg.enter_through(entry)
        scene.wait(20, 120)
        leg.ring()
    scene.wait(3 * SECOND, 12 * SECOND)
    winner = scene.rng.choice(legs)
    winner.answer()
    scene.wait(100, 300)
    entry.answer(operator=winner)
    for leg in legs:
        if leg is not winner:
            leg.hang_up()
    scene.wait(20 * SECOND, 60 * SECOND)
    winner.hang_up()
    scene.wait(50, 200)
    entry.hang_up()
    entry.expect("completed")
    for leg in legs:
        leg.expect("completed" if leg is winner else "missed")


def ring_group(scene: Scene) -> None:
    caller = scene.caller()
    entry = scene.leg(scene.cast.department, caller=caller)
    scene.wait(200, 600)
    entry.ring()
    ring_members(scene, entry, caller, members=3)


def queue_answered(scene: Scene) -> None:
    caller = scene.caller()
    entry = scene.leg(scene.cast.call_center, caller=caller)
    scene.wait(500, 1500)
    entry.queue()
    scene.wait(10 * SECOND, 30 * SECOND)
    entry.ring()
    ring_members(scene, entry, caller, members=2)
