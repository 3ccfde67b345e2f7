"""One end of RabbitMQ: a connection as one of the shipped users, which publishes and receives."""

import gzip
import json
import time

import pika

PERSISTENT = 2


class Message:
    """What arrived, and when by the clock of time.monotonic()."""

    def __init__(self, method, properties, body):
        self.at = time.monotonic()
        self.key = method.routing_key
        self.properties = properties
        packed = properties.content_encoding == "gzip"
        self.text = (gzip.decompress(body) if packed else body).decode()
        self.json = json.loads(self.text)


class Client:
    """Speaks as `user`. Connecting and receiving raise pika's own errors."""

    def __init__(self, url):
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0  # the demo is silent while it computes, on a connection that cannot break unseen
        self.user = parameters.credentials.username
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.received = []

    def publish(self, exchange, key, document, packed=False):
        """`document` is JSON text. RabbitMQ verifies the user; nothing is confirmed, answers are awaited."""
        body = document.encode()
        self.channel.basic_publish(exchange, key, gzip.compress(body, 1) if packed else body, pika.BasicProperties(
            user_id=self.user,
            delivery_mode=PERSISTENT,
            content_type="application/json",
            content_encoding="gzip" if packed else None,
        ))

    def inbox(self, queue, exchange, keys, own=False):
        """Receives what is published under these keys. An `own` queue goes with the connection."""
        # What nobody takes while the demo is kept must not fill the disk.
        bound = {"x-max-length": 10_000}
        self.channel.queue_declare(queue, durable=not own, exclusive=own, arguments=bound)
        for key in keys:
            self.channel.queue_bind(queue, exchange, key)
        self.channel.basic_consume(queue, self._keep, auto_ack=True)

    def _keep(self, _channel, method, properties, body):
        self.received.append(Message(method, properties, body))

    def wait(self, done, timeout_s):
        """Receives until `done(received)` is true, and says whether it became true in time."""
        deadline = time.monotonic() + timeout_s
        while not done(self.received):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.connection.process_data_events(time_limit=min(left, 1))
        return True

    def drain(self):
        """Receives what is there already."""
        while self.wait(lambda received, before=len(self.received): len(received) > before, 0.3):
            pass
        return self.received

    def close(self):
        self.connection.close()
