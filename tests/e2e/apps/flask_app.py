"""The privacy tests' Flask app: it echoes, and it plays the answers of a script."""

import script
from flask import Flask, Response, request

app = Flask(__name__)
# Two slashes in a row are a part of a secret here.
app.url_map.merge_slashes = False
# Flask logs what an app raises with its message. That is the app's own word, not ours.
app.logger.disabled = True


@app.route("/notes/<path:_rest>", methods=script.METHODS)
def play(_rest: str) -> Response:
    request.get_data()
    answer = script.Answer(request.headers["x-step"])
    answer.play()
    response = Response(answer.chunks() if answer.chunked else answer.body)
    del response.headers["content-type"]
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


@app.post("/echo")
def echo() -> Response:
    return Response(request.get_data(), content_type=request.content_type)


@app.get("/hooks")
def hooks() -> str:
    return "ok"


@app.get("/healthz")
def check_health() -> dict[str, str]:
    return {"status": "ok"}
