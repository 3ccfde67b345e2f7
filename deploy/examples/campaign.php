#!/usr/bin/php
<?php
// Publishes a campaign to suppressd: recipients from standard input, one JSON object a line, in parts.
//
//   AMQP_URL=amqps://marketing:PASSWORD@rabbitmq/suppressd campaign.php --campaign nauryz-2027 --channel sms \
//     --brand lulla.kz --region KZ-79 --send-until 2027-03-20T18:00:00+05:00 < recipients.ndjson
//
// Every part is persistent and confirmed. The same command with the same input publishes the same jobs again, which is
// harmless: senders know copies by message_id, and the campaign's report counts each part once. --part-size N is 10000 by
// default. Exit code: 0 RabbitMQ has all of it, 64 wrong arguments, 65 a line that is no JSON object: nothing was
// published, 69 run it again.
require 'PhpAmqpLib/autoload.php';  // Debian's php-amqplib; with Composer: vendor/autoload.php

use PhpAmqpLib\Connection\{AMQPSSLConnection, AMQPStreamConnection};
use PhpAmqpLib\Message\AMQPMessage;

const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR;

function stop(int $code, string $why): never {
    fwrite(STDERR, "campaign: $why\n");
    exit($code);
}

function connect(array $url): AMQPStreamConnection {
    [$host, $user, $pass, $vhost] = [$url['host'], $url['user'], $url['pass'], substr($url['path'], 1)];
    return $url['scheme'] === 'amqps'
        ? new AMQPSSLConnection($host, $url['port'] ?? 5671, $user, $pass, $vhost, ['verify_peer_name' => true])
        : new AMQPStreamConnection($host, $url['port'] ?? 5672, $user, $pass, $vhost);
}

function recipients(): array {
    $lines = array_filter(array_map('trim', file('php://stdin')), fn($line) => $line !== '');
    foreach ($lines as $line) {
        $people[] = $person = json_decode($line);  // objects stay objects, {} too
        is_object($person) || stop(65, 'a line is no JSON object');
    }
    return $people ?? [];
}

function publish(array $jobs, array $url): void {
    $channel = connect($url)->channel();
    $channel->confirm_select();
    $channel->set_return_listener(fn() => stop(69, 'nobody takes jobs at this RabbitMQ: run suppressd first'));
    $channel->set_nack_handler(fn() => stop(69, 'RabbitMQ could not keep all of it: run the same command again'));
    foreach ($jobs as $job) {
        $properties = ['delivery_mode' => 2, 'content_type' => 'application/json', 'message_id' => $job['job_id']];
        $message = new AMQPMessage(json_encode($job, JSON), $properties);
        $channel->basic_publish($message, 'suppressd.jobs', "$job[channel].{$job['segments'][0]['region']}", true);
        $channel->wait_for_pending_acks_returns(30);
    }
}

$it = getopt('', ['campaign:', 'channel:', 'brand:', 'region:', 'send-until:', 'part-size:']);
isset($it['campaign'], $it['channel'], $it['brand'], $it['region'])
    || stop(64, '--campaign, --channel, --brand and --region are needed');
$url = parse_url(getenv('AMQP_URL') ?: stop(64, 'AMQP_URL is not set'));
$people = recipients();
$parts = array_chunk($people, max(1, (int) ($it['part-size'] ?? 10000)));
foreach ($parts as $index => $part) {
    $jobs[] = ['job_id' => "$it[campaign]:$index", 'campaign_id' => $it['campaign'], 'channel' => $it['channel'],
        'brand' => $it['brand'], 'part' => ['index' => $index, 'of' => count($parts)],
        'send_until' => $it['send-until'] ?? null,
        'segments' => [['region' => $it['region'], 'recipients' => $part]]];
}
try { publish($jobs ?? [], array_map(fn($part) => is_string($part) ? urldecode($part) : $part, $url)); }
catch (Throwable $error) { stop(69, 'not all of it is confirmed, run the same command again: ' . get_class($error)); }
echo json_encode(['jobs' => count($jobs ?? []), 'recipients' => count($people)]), "\n";
