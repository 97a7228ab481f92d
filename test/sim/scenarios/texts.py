"""Text messages: in, out, with a picture, and in a group's name."""

from ..scene import Scene

SECOND = 1000

QUESTIONS = (
    "Hi, is my order ready for pickup?",
    "Could you move my appointment to next week?",
    "Running 10 minutes late, sorry 🙈",
    "Stop",  # opt-outs come in any letter case, as ordinary text
)
ANSWERS = (
    "Your order is ready, we're open until 6 pm.",
    "Done! See you on Tuesday at 9:30.",
    "Thanks for letting us know.",
)
FAILURES = ("invalid_destination", "no_route", "rejected_spam", "time_out")


def text_inbound(scene: Scene) -> None:
    text = scene.text(scene.agent(), "inbound", scene.rng.choice(QUESTIONS))
    text.announce()
    text.expect("pending")


def text_delivered(scene: Scene) -> None:
    text = scene.text(scene.agent(), "outbound", scene.rng.choice(ANSWERS))
    text.announce()
    scene.wait(2 * SECOND, 9 * SECOND)
    text.settle("success", "accepted")
    text.expect("success")


def text_failed(scene: Scene) -> None:
    text = scene.text(scene.agent(), "outbound", scene.rng.choice(ANSWERS))
    text.announce()
    scene.wait(2 * SECOND, 9 * SECOND)
    text.settle("failed", scene.rng.choice(FAILURES))
    text.expect("failed")


def text_picture(scene: Scene) -> None:
    text = scene.text(scene.agent(), "inbound", "This is the broken part.")
    text.attach_picture()
    text.announce()
    text.expect("pending")


def text_group(scene: Scene) -> None:
    group = scene.rng.choice((scene.cast.office, scene.cast.department))
    caller = scene.caller()
    question = scene.text(group, "inbound", scene.rng.choice(QUESTIONS), caller)
    question.announce()
    scene.wait(15 * SECOND, 60 * SECOND)
    reply = scene.text(group, "outbound", scene.rng.choice(ANSWERS), caller)
    reply.sent_by(scene.agent())
    reply.announce()
    scene.wait(2 * SECOND, 9 * SECOND)
    reply.settle("success", "accepted")
    question.expect("pending")
    reply.expect("success")
