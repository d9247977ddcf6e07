#!/usr/bin/env python3
"""The program that `comanda-conformance client -- python3 conformance.py` tests this client with.

Reads cases from stdin, makes their calls, and answers on stdout, one line of JSON each. The project's CONFORMANCE.md
(section 4) says how.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comanda import Call, CallError, Client, Code, Fields

JSON = dict[str, Any]


class Progress:
    """How far a call is: the responses it has read, and whether it has ended."""

    def __init__(self) -> None:
        self.responses: list[bytes] = []
        self.ended = False
        self._changed = asyncio.Condition()

    async def add(self, response: bytes) -> None:
        async with self._changed:
            self.responses.append(response)
            self._changed.notify_all()

    async def end(self) -> None:
        async with self._changed:
            self.ended = True
            self._changed.notify_all()

    async def reached(self, responses: int | None) -> None:
        """Waits until so many responses were read or the call has ended; None waits for the end."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self.ended or (responses is not None and len(self.responses) >= responses)
            )


async def requests_of(plan: JSON, progress: Progress) -> AsyncIterator[bytes]:
    """The requests of a streaming call, each when its time has come; returning ends them."""
    for request in plan.get("requests", ()):
        await progress.reached(request.get("after_responses", 0))
        yield base64.b64decode(request["message"])
    await progress.reached(plan.get("end_after_responses", 0) if plan.get("end_requests", True) else None)


def answer(
    progress: Progress, metadata: Fields = (), trailers: Fields = (), error: CallError | None = None
) -> JSON:  # fmt: skip
    """What the caller saw."""
    if error is not None:
        metadata, trailers = error.metadata, error.trailers
    return {
        "code": int(error.code) if error is not None else 0,
        "message": error.message if error is not None else "",
        "details": base64.b64encode(error.details if error is not None else b"").decode("ascii"),
        "responses": [base64.b64encode(response).decode("ascii") for response in progress.responses],
        "metadata": [[key, value] for key, value in metadata],
        "trailers": [[key, value] for key, value in trailers],
        "rejected": error.not_started if error is not None else False,
    }


async def make_for_one(client: Client, plan: JSON, options: JSON, progress: Progress) -> JSON:
    """A call with one response. It is cancelled as programs do it: by cancelling its task."""
    if plan["kind"] == "unary":
        request = base64.b64decode(plan["requests"][0]["message"])
        task = asyncio.create_task(client.unary(plan["method"], request, **options))
    else:
        requests = requests_of(plan, progress)
        task = asyncio.create_task(client.client_streaming(plan["method"], requests, **options))
    timer = plan_cancel(plan, task.cancel)
    try:
        reply = await task
    except CallError as error:
        return answer(progress, error=error)
    except asyncio.CancelledError:
        return answer(progress, error=CallError(Code.CANCELLED))
    finally:
        timer()
    await progress.add(reply.message)
    return answer(progress, reply.metadata, reply.trailers)


async def make_for_many(client: Client, plan: JSON, options: JSON, progress: Progress) -> JSON:
    """A call with any number of responses."""
    sending: asyncio.Task[None] | None = None
    call: Call
    if plan["kind"] == "server_streaming":
        request = base64.b64decode(plan["requests"][0]["message"])
        call = client.server_streaming(plan["method"], request, **options)
    else:
        call = client.bidirectional(plan["method"], **options)
        sending = asyncio.create_task(call.send_all(requests_of(plan, progress)))
    cancel_after = plan.get("cancel", {}).get("after_responses")
    timer = plan_cancel(plan, call.cancel)
    try:
        async with call:
            if cancel_after == 0:
                call.cancel()
            async for response in call:
                await progress.add(response)
                if len(progress.responses) == cancel_after:
                    call.cancel()
            return answer(progress, await call.metadata(), call.trailers)
    except CallError as error:
        return answer(progress, error=error)
    finally:
        timer()
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


def plan_cancel(plan: JSON, cancel: Callable[[], object]) -> Callable[[], None]:
    """Cancels when the plan's time has come; gives what takes that back."""
    after = plan.get("cancel", {}).get("after_ms")
    if after is None:
        return lambda: None
    return asyncio.get_running_loop().call_later(after / 1000, cancel).cancel


async def make(client: Client, plans: list[JSON], index: int, progress: list[Progress]) -> JSON:
    """Makes one call when its time has come."""
    plan = plans[index]
    if (after := plan.get("begin_after")) is not None:
        await progress[after["call"]].reached(after.get("responses"))
    options: JSON = {"metadata": [(key, value) for key, value in plan.get("metadata", ())]}
    if plan.get("deadline_ms") is not None:
        options["timeout"] = plan["deadline_ms"] / 1000
    one = plan["kind"] in ("unary", "client_streaming")
    try:
        return await (make_for_one if one else make_for_many)(client, plan, options, progress[index])
    finally:
        await progress[index].end()


async def run(case: JSON) -> JSON:
    """Makes the calls of a case."""
    plans: list[JSON] = case["calls"]
    progress = [Progress() for _ in plans]
    async with Client(
        case["host"], case["port"], ca=case["ca"], server_name=case["server_name"], token=case.get("token")
    ) as client:
        # Tasks start in the order in which they are made, so calls begin in the case's order.
        calls = [asyncio.create_task(make(client, plans, index, progress)) for index in range(len(plans))]
        answers = await asyncio.gather(*calls)
        await asyncio.sleep(case.get("linger_ms", 0) / 1000)
    return {"case": case["case"], "calls": answers}


def main() -> None:
    for line in sys.stdin.buffer:
        case: JSON = {}
        try:
            case = json.loads(line)
            result = asyncio.run(run(case))
        except Exception as error:  # noqa: BLE001 - the suite shall learn of it, and the next case may work
            result = {"case": case.get("case", ""), "error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
