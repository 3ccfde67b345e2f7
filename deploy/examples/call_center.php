#!/usr/bin/php
<?php
// Tells suppressd what a caller asked for, and waits for the receipt with which the ticket can be closed.
//
//   AMQP_URL=amqp://callcenter:PASSWORD@rabbitmq/suppressd call_center.php --event-id cc-123 --ticket CRM-88 \
//     --at 2026-11-22T10:15:00+05:00 --phone "8 777 111 31 11"
//
// --phone is the number that the person names, not the one that the call comes from. The same command again is
// harmless. Exit code: 0 it stands, 64 wrong arguments, 65 somebody must look at it, 69 not known: ask again.
require 'PhpAmqpLib/autoload.php';  // Debian's php-amqplib; with Composer: vendor/autoload.php

const KINDS = ['opt_out', 'opt_in', 'hold', 'release', 'complaint', 'identifier_changed', 'dismiss'];

function stop(int $code, string $why): never {
    fwrite(STDERR, "call_center: $why\n");
    exit($code);
}

function receipt_for(array $event, array $url, int $wait_s): array {
    $connection = new PhpAmqpLib\Connection\AMQPStreamConnection(
        $url['host'], $url['port'] ?? 5672, $url['user'], $url['pass'], substr($url['path'], 1));
    $channel = $connection->channel();
    $channel->confirm_select();
    $channel->set_return_listener(fn() => stop(69, 'nobody takes opt-outs at this RabbitMQ: run suppressd first'));
    $channel->set_nack_handler(fn() => stop(69, 'RabbitMQ could not keep it: run the same command again'));
    [$replies] = $channel->queue_declare('callcenter.' . bin2hex(random_bytes(16)), exclusive: true);
    $properties = ['user_id' => $url['user'], 'delivery_mode' => 2, 'content_type' => 'application/json',
        'reply_to' => $replies, 'correlation_id' => $event['event_id']];
    $message = new PhpAmqpLib\Message\AMQPMessage(json_encode($event), $properties);
    $channel->basic_publish($message, 'suppressd.opt-outs', $event['source'], true);
    $channel->wait_for_pending_acks_returns($wait_s);
    $channel->basic_consume($replies, no_ack: true, callback: function ($answer) use (&$receipt, $event) {
        $receipt = $answer->get('correlation_id') === $event['event_id'] ? json_decode($answer->body, true) : null;
    });
    while (!$receipt) $channel->wait(null, false, $wait_s);
    return $receipt;
}

foreach (array_chunk(array_slice($argv, 1), 2) as $pair) $given[$pair[0]] = $pair[1] ?? null;
$get = function ($name) use (&$given) {
    $value = $given["--$name"] ?? null;
    unset($given["--$name"]);
    return $value;
};
$list = fn($name) => ($names = $get($name)) ? explode(',', $names) : null;
$event = ['event_id' => $get('event-id') ?? stop(64, '--event-id, which names this entry, is required'),
    'occurred_at' => $get('at') ?? stop(64, '--at is required: the deadline counts from then'),
    'source' => 'call_center', 'kind' => $get('kind') ?? 'opt_out', 'requested_by' => $get('requested-by'),
    'subject' => ['phone' => $get('phone'), 'email' => $get('email'), 'user_id' => $get('user-id')],
    'new_subject' => ['phone' => $get('new-phone'), 'email' => $get('new-email'), 'user_id' => $get('new-user-id')],
    'scope' => ['regions' => $list('regions'), 'channels' => $list('channels'), 'brands' => $list('brands')],
    'request_id' => $get('ticket'), 'agent' => $get('agent')];  // what is null is left out
[$url, $wait_s] = [parse_url(getenv('AMQP_URL') ?: stop(64, 'AMQP_URL is not set')), $get('wait-s') ?? 30];
array_filter($event['subject']) || $event['kind'] === 'dismiss' || stop(64, 'whom is it about?');
!$given && in_array($event['kind'], KINDS) || stop(64, 'an argument is not known; kinds are ' . implode(', ', KINDS));
try { $receipt = receipt_for($event, array_map('urldecode', $url), $wait_s); }
catch (Throwable $error) { stop(69, "no receipt, run the same command again: {$error->getMessage()}"); }
if (in_array($receipt['status'], ['review', 'rejected']))
    stop(65, "{$receipt['status']}, somebody must look at it (reason: {$receipt['reason']})");
echo json_encode(array_intersect_key($receipt, array_flip(['status', 'revision', 'due_at', 'late', 'ignored']))), "\n";
