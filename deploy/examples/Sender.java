// Takes filtered jobs from suppressd and sends them: here, prints one JSON object for each recipient.
//
//   cp=$(printf '/usr/share/java/%s.jar:' amqp-client gson slf4j-api slf4j-nop)
//   AMQP_URL=amqps://sender:PASSWORD@rabbitmq/suppressd java -cp "$cp" Sender.java \
//     --queue sender.sms --key 'sms.#' --done /var/lib/sender
//
// A job is acknowledged when all of it is sent. What was sent is remembered in the directory --done by message_id, because
// a job may come again after a crash. If this program itself ends in the middle of a job, that one job is begun anew: give
// each recipient to your gateway under a name of its own (message_id and place) if it can pass over copies.
// --count N ends after so many messages. Exit code: 0 told to end, 64 wrong arguments, 69 RabbitMQ is away: start it again.
// Debian: default-jdk-headless, librabbitmq-client-java, libgoogle-gson-java.
import com.google.gson.*;
import com.rabbitmq.client.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.time.OffsetDateTime;
import java.util.*;
import java.util.concurrent.CountDownLatch;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.*;

class Sender {
    private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    static void stop(int code, String why) {
        System.err.println("sender: " + why);
        System.exit(code);
    }

    static ConnectionFactory factory(String url) throws Exception {
        var factory = new ConnectionFactory();
        factory.setUri(url);
        if (url.startsWith("amqps:")) {  // of itself the client believes every server
            factory.useSslProtocol(SSLContext.getDefault());
            factory.setSocketConfigurator(socket -> {
                var parameters = ((SSLSocket) socket).getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                ((SSLSocket) socket).setSSLParameters(parameters);
            });
        }
        return factory;
    }

    static void send(PrintStream gateway, String name, JsonElement to) {
        var message = new JsonObject();
        message.addProperty("name", name);
        message.add("to", to);
        gateway.println(JSON.toJson(message));
    }

    static boolean isLate(JsonObject job) {
        var until = job.get("send_until");
        return until != null && !until.isJsonNull()
            && OffsetDateTime.parse(until.getAsString()).isBefore(OffsetDateTime.now());
    }

    static void handle(byte[] body, AMQP.BasicProperties properties, Path done, PrintStream gateway) throws Exception {
        var name = properties.getMessageId();
        var digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
        var mark = done.resolve(HexFormat.of().formatHex(digest));
        if (Files.exists(mark)) return;  // a copy
        InputStream text = new ByteArrayInputStream(body);
        if ("gzip".equals(properties.getContentEncoding())) text = new GZIPInputStream(text);
        var job = JsonParser.parseReader(new InputStreamReader(text, StandardCharsets.UTF_8)).getAsJsonObject();
        var address = job.get("channel").getAsString().equals("email") ? "email" : "phone";
        var place = 0;
        if (!isLate(job)) {
            for (var segment : job.getAsJsonArray("segments")) {
                for (var recipient : segment.getAsJsonObject().getAsJsonArray("recipients")) {
                    send(gateway, name + "/" + place++, recipient.getAsJsonObject().get(address));
                }
            }
        }
        gateway.flush();
        Files.createFile(mark);
    }

    static void work(String url, String queue, String key, Path done, long count) throws Exception {
        var gateway = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var factory = factory(url);
        factory.setAutomaticRecoveryEnabled(false);  // whoever started us starts us again
        try (var connection = factory.newConnection()) {
            var channel = connection.createChannel();
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
            channel.queueBind(queue, "suppressd.filtered", key);
            channel.basicQos(2);  // large bodies: one that is sent, one that waits
            var left = new CountDownLatch((int) count);
            channel.basicConsume(queue, false, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                        throws IOException {
                    if (left.getCount() == 0) return;  // not acknowledged: it comes again
                    try {
                        handle(body, properties, done, gateway);
                    } catch (Exception error) {
                        stop(69, "start it again: " + error.getClass().getSimpleName());
                    }
                    channel.basicAck(envelope.getDeliveryTag(), false);
                    left.countDown();
                }

                @Override
                public void handleShutdownSignal(String tag, ShutdownSignalException signal) {
                    if (left.getCount() > 0) stop(69, "start it again: the connection ended");
                }
            });
            left.await();
        }
    }

    public static void main(String[] arguments) {
        var it = new HashMap<String, String>();
        for (var at = 0; at + 1 < arguments.length; at += 2) it.put(arguments[at], arguments[at + 1]);
        var url = System.getenv("AMQP_URL");
        if (url == null || url.isEmpty()) stop(64, "AMQP_URL is not set");
        if (!it.keySet().containsAll(Set.of("--queue", "--key", "--done")) || !Files.isDirectory(Path.of(it.get("--done")))) {
            stop(64, "--queue, --key and --done DIRECTORY are needed");
        }
        try {
            var count = Long.parseLong(it.getOrDefault("--count", String.valueOf(Integer.MAX_VALUE)));
            work(url, it.get("--queue"), it.get("--key"), Path.of(it.get("--done")), count);
        } catch (Exception error) {
            stop(69, "start it again: " + error.getClass().getSimpleName());
        }
        System.exit(0);
    }
}
