"""The privacy tests' FastAPI app: it echoes, and it plays the answers of a script."""

from collections.abc import Callable
from typing import Annotated, Any

import script
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import AfterValidator, Field, ValidationError, create_model

app = FastAPI()


@app.api_route("/notes/{rest:path}", methods=script.METHODS)
async def play(request: Request) -> Response:
    await request.body()
    answer = script.Answer(request.headers["x-step"])
    answer.play()
    if answer.refusal is not None:
        await refuse(request, answer.refusal)
    response = StreamingResponse(answer.chunks()) if answer.chunked else Response(answer.body)
    for name, value in answer.headers:
        response.headers.append(name, value)
    return response


async def refuse(request: Request, refusal: dict[str, Any]) -> None:
    """Validate a model of this request's own fields, as FastAPI does with a declared one."""
    fields: dict[str, Any] = {}
    for at, name in enumerate(refusal["parsed"]):
        fields[f"parsed_{at}"] = (bool, Field(alias=name))
    inner: dict[str, Any] = {}
    for at, (name, message) in enumerate(refusal["checked"]):
        inner[f"checked_{at}"] = (
            Annotated[str, AfterValidator(refusing(message))],
            Field(alias=name),
        )
    document = await request.json()
    try:
        create_model("Body", checked=(create_model("Checked", **inner), ...), **fields)(**document)
    except ValidationError as error:
        errors = [{**row, "loc": ("body", *row["loc"])} for row in error.errors()]
        raise RequestValidationError(errors, body=document) from error


def refusing(message: str) -> Callable[[str], str]:
    def check(_value: str) -> str:
        raise ValueError(message)

    return check


@app.post("/echo")
async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type=request.headers["content-type"])


@app.get("/hooks")
async def hooks() -> PlainTextResponse:
    return PlainTextResponse("ok")


@app.get("/healthz")
async def check_health() -> dict[str, str]:
    return {"status": "ok"}
