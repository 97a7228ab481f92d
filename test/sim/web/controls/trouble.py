"""Faults on demand; which requests came; which broke Dialpad's description."""

from ..call import Call
from ..message import Answer, answer_json
from .given import done


def show_faults(call: Call) -> Answer:
    return answer_json(200, {"faults": call.app.faults.waiting()})


def add_fault(call: Call) -> Answer:
    call.app.faults.add(call.given)
    return done()


def clear_faults(call: Call) -> Answer:
    call.app.faults.clear()
    return done()


def requests(call: Call) -> Answer:
    return answer_json(200, {"requests": call.app.watch.requests()})


def forget_requests(call: Call) -> Answer:
    call.app.watch.forget_requests()
    return done()


def violations(call: Call) -> Answer:
    return answer_json(200, {"violations": call.app.watch.violations()})


def forget_violations(call: Call) -> Answer:
    call.app.watch.forget_violations()
    return done()
