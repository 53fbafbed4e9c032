"""A vendor on this machine, for every server alike: it answers at once, and keeps what arrived.

    python3 mock.py    # prints its port

A request's key in the path decides about the answer: BUSY-1 is refused once with 429, FAIL-1 has a fault, GONE-1 is not there, HUGE-1 is
large; everything else is a small request. `GET /__arrived` returns what arrived since it was asked for last, and forgets it;
`GET /__forget` forgets that and whom it has refused.
"""

import asyncio
import json

SMALL = json.dumps(
    {
        "issueId": "107001",
        "issueKey": "HELP-1",
        "requestTypeId": "25",
        "serviceDeskId": "10",
        "createdDate": {"iso8601": "2026-11-02T09:15:00+0000", "epochMillis": 1793610900000, "friendly": "Monday"},
        "reporter": {"accountId": "qm:a713c8ea", "displayName": "Fred", "active": True, "timeZone": "Europe/Berlin"},
        "requestFieldValues": [
            {"fieldId": "summary", "label": "What do you need?", "value": "A laptop"},
            {"fieldId": "description", "label": "Why do you need this?", "value": "The old one is slow"},
        ],
        "currentStatus": {"status": "Waiting for support", "statusCategory": "NEW"},
    }
).encode()
HUGE = json.dumps({"issueKey": "HUGE-1", "requestFieldValues": [{"fieldId": f"field{n}", "value": "x" * 500} for n in range(10_000)]}).encode()
FAULTS = {
    "FAIL-1": (b"500 Internal Server Error", b'{"errorMessage": "a fault of the vendor"}'),
    "GONE-1": (b"404 Not Found", b'{"errorMessage": "there is no such request"}'),
}


# What most requests are: one record is read. They cost this mock little, so that the servers are measured and not it.
PLAIN = b"HELP-1"
END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(SMALL), SMALL)
MOST_ARRIVED = 1_000


class Vendor(asyncio.Protocol):
    arrived = []
    busy = set()

    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""

    def data_received(self, data):
        is_plain = not self.buffer and data.startswith(b"GET ") and PLAIN in data[:200] and data.find(END) == len(data) - len(END)
        if is_plain and len(Vendor.arrived) >= MOST_ARRIVED:
            self.transport.write(ANSWER)
            return
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            self.answer(method, target, rest[:length])

    def answer(self, method, target, body):
        if target == "/__arrived":
            found = json.dumps(Vendor.arrived).encode()
            Vendor.arrived.clear()
            return self.send(b"200 OK", found)
        if target == "/__forget":
            Vendor.arrived.clear()
            Vendor.busy.clear()
            return self.send(b"204 No Content", b"")
        if len(Vendor.arrived) < MOST_ARRIVED:
            Vendor.arrived.append({"method": method, "target": target, "body": body.decode("latin-1")[:2_000]})
        for key, (status, text) in FAULTS.items():
            if key in target:
                return self.send(status, text)
        if "HUGE-1" in target:
            return self.send(b"200 OK", HUGE)
        if "BUSY-1" in target and target not in Vendor.busy:
            Vendor.busy.add(target)
            return self.send(b"429 Too Many Requests", b'{"errorMessage": "too many"}', b"Retry-After: 1\r\n")
        Vendor.busy.discard(target)
        self.send(b"200 OK", SMALL)

    def send(self, status, body, more=b""):
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n" % (status, more, len(body))
        self.transport.write(head + body)


async def main():
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
