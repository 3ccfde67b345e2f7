#!/usr/bin/php
<?php
// Takes filtered jobs from suppressd and sends them: here, prints one JSON object for each recipient.
//
//   AMQP_URL=amqps://sender:PASSWORD@rabbitmq/suppressd sender.php --queue sender.sms --key 'sms.#' --done /var/lib/sender
//
// A job is acknowledged when all of it is sent. What was sent is remembered in the directory --done by message_id, because
// a job may come again after a crash. If this program itself ends in the middle of a job, that one job is begun anew: give
// each recipient to your gateway under a name of its own (message_id and place) if it can pass over copies.
// --count N ends after so many messages. Exit code: 0 told to end, 64 wrong arguments, 69 RabbitMQ is away: start it again.
require 'PhpAmqpLib/autoload.php';  // Debian's php-amqplib; with Composer: vendor/autoload.php

use PhpAmqpLib\Connection\{AMQPSSLConnection, AMQPStreamConnection};
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES;
const FLAGS = JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING;

function stop(int $code, string $why): never {
    fwrite(STDERR, "sender: $why\n");
    exit($code);
}

function connect(array $url): AMQPStreamConnection {
    [$host, $user, $pass, $vhost] = [$url['host'], $url['user'], $url['pass'], substr($url['path'], 1)];
    return $url['scheme'] === 'amqps'
        ? new AMQPSSLConnection($host, $url['port'] ?? 5671, $user, $pass, $vhost, ['verify_peer_name' => true])
        : new AMQPStreamConnection($host, $url['port'] ?? 5672, $user, $pass, $vhost);
}

function send(string $name, string $address, array $recipient): void {
    echo json_encode(['name' => $name, 'to' => $recipient[$address] ?? null], JSON), "\n";
}

function is_late(array $job): bool {
    return isset($job['send_until']) && new DateTimeImmutable($job['send_until']) < new DateTimeImmutable();
}

function handle(AMQPMessage $message, string $done): void {
    $name = $message->get('message_id');
    $mark = "$done/" . hash('sha256', $name);
    if (file_exists($mark)) return;  // a copy
    $packed = $message->has('content_encoding') && $message->get('content_encoding') === 'gzip';
    $job = json_decode($packed ? gzdecode($message->body) : $message->body, true, 512, FLAGS);
    $address = $job['channel'] === 'email' ? 'email' : 'phone';
    $recipients = array_merge(...array_column($job['segments'], 'recipients'));
    foreach (is_late($job) ? [] : $recipients as $place => $recipient) send("$name/$place", $address, $recipient);
    touch($mark) ?: throw new RuntimeException('--done cannot be written to');
}

function work(array $url, array $it): void {
    $channel = connect($url)->channel();
    $arguments = new AMQPTable(['x-queue-type' => 'quorum']);
    $channel->queue_declare($it['queue'], durable: true, auto_delete: false, arguments: $arguments);
    $channel->queue_bind($it['queue'], 'suppressd.filtered', $it['key']);
    $channel->basic_qos(0, 2, false);  // large bodies: one that is sent, one that waits
    $left = $it['count'] ?? INF;
    $channel->basic_consume($it['queue'], callback: function (AMQPMessage $message) use ($it, &$left) {
        if ($left <= 0) return;  // not acknowledged: it comes again
        handle($message, $it['done']);
        $message->ack();
        $left--;
    });
    while ($left > 0) $channel->wait();
}

$it = getopt('', ['queue:', 'key:', 'done:', 'count:']);
isset($it['queue'], $it['key'], $it['done']) && is_dir($it['done']) || stop(64, '--queue, --key and --done DIRECTORY are needed');
$url = parse_url(getenv('AMQP_URL') ?: stop(64, 'AMQP_URL is not set'));
try { work(array_map(fn($part) => is_string($part) ? urldecode($part) : $part, $url), $it); }
catch (Throwable $error) { stop(69, 'start it again: ' . get_class($error)); }
