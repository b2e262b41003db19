"""The same small API in Flask and in FastAPI. Imports nothing of ours: vendors' SDKs run it too."""

from typing import Any

from tests.parity.traffic import GZIPPED

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


def make_flask() -> Any:
    from flask import Flask, Response, request

    app = Flask("shop")

    @app.route("/echo", methods=["GET", "POST"])
    def echo() -> Any:
        return Response(request.get_data(), content_type=request.content_type or "text/plain")

    @app.route("/items/<item>", methods=["GET", "DELETE"])
    def item(item: str) -> Any:
        return ("", 204) if request.method == "DELETE" else {"item": item}

    @app.route("/unread", methods=["POST"])
    def unread() -> Any:
        return {"read": False}

    @app.route("/gzip")
    def zipped() -> Any:
        headers = {"Content-Encoding": "gzip"}
        return Response(GZIPPED, content_type="application/json", headers=headers)

    @app.route("/picture")
    def picture() -> Any:
        return Response(PICTURE, content_type="image/png")

    @app.route("/failing")
    def failing() -> Any:
        return {"error": "out of stock"}, 503

    @app.route("/raising")
    def raising() -> Any:
        raise ValueError("no such thing")

    @app.route("/stream")
    def stream() -> Any:
        return Response((f"line {n}\n" for n in range(3)), content_type="text/plain")

    @app.route("/cookies")
    def cookies() -> Any:
        response = Response('{"ok":true}', content_type="application/json")
        response.headers.add("Set-Cookie", "a=1; Path=/")
        response.headers.add("Set-Cookie", "b=2; Path=/")
        return response

    return app


def make_fastapi() -> Any:
    from fastapi import FastAPI, Request, Response
    from fastapi.responses import JSONResponse, StreamingResponse

    app = FastAPI()

    @app.api_route("/echo", methods=["GET", "POST"])
    async def echo(request: Request) -> Any:
        kind = request.headers.get("content-type", "text/plain")
        return Response(await request.body(), media_type=kind)

    @app.api_route("/items/{item}", methods=["GET", "HEAD"])
    async def item(item: str) -> Any:
        return {"item": item}

    @app.delete("/items/{item}")
    async def delete(item: str) -> Any:
        return Response(status_code=204)

    @app.post("/unread")
    async def unread() -> Any:
        return {"read": False}

    @app.get("/gzip")
    async def zipped() -> Any:
        headers = {"Content-Encoding": "gzip"}
        return Response(GZIPPED, media_type="application/json", headers=headers)

    @app.get("/picture")
    async def picture() -> Any:
        return Response(PICTURE, media_type="image/png")

    @app.get("/failing")
    async def failing() -> Any:
        return JSONResponse({"error": "out of stock"}, 503)

    @app.get("/raising")
    async def raising() -> Any:
        raise ValueError("no such thing")

    @app.get("/stream")
    async def stream() -> Any:
        return StreamingResponse((f"line {n}\n" for n in range(3)), media_type="text/plain")

    @app.get("/cookies")
    async def cookies() -> Any:
        response = Response('{"ok":true}', media_type="application/json")
        response.headers.append("Set-Cookie", "a=1; Path=/")
        response.headers.append("Set-Cookie", "b=2; Path=/")
        return response

    return app
