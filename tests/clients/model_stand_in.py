"""A program in place of the models that assistants call: on the loopback, it speaks the interfaces that they use.

It is asked with a conversation and with the tools that are offered. While the conversation has no tool's answer
yet, it asks for one tool, by the name under which the client offers it; then it ends the turn with a text. It
keeps what came, so that a test sees what a model would have seen.
"""

import contextlib
import itertools
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FINAL_TEXT = "The stand-in has seen the answer."


def texts_of(value):
    """Every text in a JSON value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)


class AnthropicMessages:
    """POST /v1/messages"""

    @staticmethod
    def offered(request):
        return [tool["name"] for tool in request.get("tools", [])]

    @staticmethod
    def tool_answers(request):
        for message in request["messages"]:
            if isinstance(message["content"], list):
                yield from (block for block in message["content"] if block.get("type") == "tool_result")

    @staticmethod
    def answer(request, tool, streams):
        if tool:
            block = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": "{}"}
            reason = "tool_use"
        else:
            block = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": FINAL_TEXT}
            reason = "end_turn"
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": request["model"], "content": []}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
        if not request.get("stream"):
            content = block if tool else {"type": "text", "text": FINAL_TEXT}
            return message | {"content": [content], "stop_reason": reason}, None
        events = [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage},
            {"type": "message_stop"},
        ]
        return None, [(event["type"], event) for event in events]


class OpenAiResponses:
    """POST /v1/responses"""

    @staticmethod
    def offered(request):
        names = []
        for tool in request.get("tools", []):
            # Tools of one server may be offered together, under its name.
            inner = tool.get("tools") if tool.get("type") == "namespace" else None
            names += [(tool["name"], one["name"]) for one in inner] if inner else [tool.get("name", tool.get("type"))]
        return names

    @staticmethod
    def tool_answers(request):
        return (item for item in request["input"] if item.get("type") == "function_call_output")

    @staticmethod
    def answer(request, tool, streams):
        if tool:
            namespace, name = tool if isinstance(tool, tuple) else (None, tool)
            item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": "{}"}
            if namespace:
                item["namespace"] = namespace
        else:
            content = [{"type": "output_text", "text": FINAL_TEXT, "annotations": []}]
            item = {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
        details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2} | details
        events = [
            {"type": "response.created", "response": {"id": "resp_1"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": "resp_1", "output": [item], "usage": usage}},
        ]
        return None, [(event["type"], event) for event in events]


class GeminiContents:
    """POST /v1beta/models/MODEL:streamGenerateContent"""

    @staticmethod
    def offered(request):
        groups = (group.get("functionDeclarations", []) for group in request.get("tools", []))
        return [function["name"] for function in itertools.chain.from_iterable(groups)]

    @staticmethod
    def tool_answers(request):
        parts = itertools.chain.from_iterable(content.get("parts", []) for content in request["contents"])
        return (part["functionResponse"] for part in parts if "functionResponse" in part)

    @staticmethod
    def answer(request, tool, streams):
        # Gemini CLI gives every tool the argument `wait_for_previous`, and its model uses it.
        part = {"functionCall": {"name": tool, "args": {"wait_for_previous": True}}} if tool else {"text": FINAL_TEXT}
        candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        answer = {"candidates": [candidate], "usageMetadata": usage}
        return (None, [(None, answer)]) if streams else (answer, None)


class OpenAiChat:
    """POST /v1/chat/completions"""

    @staticmethod
    def offered(request):
        return [tool["function"]["name"] for tool in request.get("tools", [])]

    @staticmethod
    def tool_answers(request):
        return (message for message in request["messages"] if message["role"] == "tool")

    @staticmethod
    def answer(request, tool, streams):
        if tool:
            call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": tool, "arguments": "{}"}}
            delta, reason = {"role": "assistant", "tool_calls": [call]}, "tool_calls"
        else:
            delta, reason = {"role": "assistant", "content": FINAL_TEXT}, "stop"
        chunk = {"id": "chat_1", "object": "chat.completion.chunk", "created": 0, "model": request["model"]}
        events = [
            chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
            chunk | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
        ]
        return None, [(None, event) for event in events] + [(None, "[DONE]")]


def interface_of(path):
    """The interface that a path belongs to, if any."""
    path = urllib.parse.urlsplit(path).path
    if path.endswith("/messages"):
        return AnthropicMessages
    if path.endswith("/responses"):
        return OpenAiResponses
    if path.endswith("/chat/completions"):
        return OpenAiChat
    if path.endswith(":streamGenerateContent") or path.endswith(":generateContent"):
        return GeminiContents
    return None


class StandIn:
    """The requests that came, and the tool to ask for."""

    def __init__(self, tool):
        self.tool = tool
        self.offered = []
        self.answers = []
        self.seen = []
        self.lock = threading.Lock()

    def named(self, offered):
        """The name under which a client offers the tool."""
        bare = [(name, name[-1] if isinstance(name, tuple) else name) for name in offered]
        return next((name for name, last in bare if last.endswith(self.tool)), None)

    def answer(self, interface, request, streams):
        """A whole answer or the events of one, the other is None. `streams` is whether the path asks for events."""
        offered = interface.offered(request)
        answers = list(interface.tool_answers(request))
        with self.lock:
            # Beside the conversation, clients ask for titles and the like, with few or no tools.
            if len(offered) >= len(self.offered):
                self.offered = offered
            self.answers += answers
        return interface.answer(request, None if answers else self.named(offered), streams)


def handler_of(stand_in):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.note()
            self.write(200, {"data": [], "models": []})

        do_HEAD = do_GET

        def do_POST(self):
            self.note()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            interface = interface_of(self.path)
            if interface is None:
                # What counts tokens, reports events and the like.
                self.write(200, {"input_tokens": 1, "totalTokens": 1})
                return
            whole, events = stand_in.answer(interface, json.loads(body), "stream" in self.path)
            if whole is not None:
                self.write(200, whole)
                return
            lines = []
            for name, data in events:
                data = data if isinstance(data, str) else json.dumps(data)
                lines.append((f"event: {name}\n" if name else "") + f"data: {data}\n\n")
            self.write(200, "".join(lines), "text/event-stream")

        def note(self):
            with stand_in.lock:
                stand_in.seen.append(f"{self.command} {self.path}")

        def write(self, status, body, content_type="application/json"):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


@contextlib.contextmanager
def serve(tool):
    """Serves until the block ends; gives the stand-in and its address."""
    stand_in = StandIn(tool)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(stand_in))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stand_in, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
