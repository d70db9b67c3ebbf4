"""What the description can't say of the values that schemathesis makes up."""

import datetime

import schemathesis

LATER = "2299-12-31T23:59:59Z"


@schemathesis.hook
def before_call(context, case, kwargs):
    """A mute ends in the future. A schema can say "date-time", and "later than now" only in words."""
    if isinstance(case.body, dict) and isinstance(case.body.get("until"), str):
        try:
            until = datetime.datetime.fromisoformat(case.body["until"])
        except ValueError:
            return
        if until.tzinfo and until.timestamp() < datetime.datetime.now().timestamp():
            case.body["until"] = LATER
