package software.amazon.kinesis.multilang.config; // resolvedConfiguration() is package-private

import static ch.qos.logback.classic.Level.OFF;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import org.slf4j.event.Level;
import software.amazon.kinesis.coordinator.DeletedStreamListProvider;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.coordinator.WorkerStateChangeListener.WorkerState;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.multilang.MultiLangDaemonConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;
import sun.misc.Signal;

/** The KCL's MultiLangDaemon for both kinds of stream: streamName is a Kinesis stream's name or a DynamoDB stream's ARN. */
public final class KclDaemon {

    private static final int DRAINED = 0;
    private static final int BAD_CONFIGURATION = 64;
    private static final int UNREACHABLE = 69;
    private static final int CHILD_FAILED = 70;
    private static final int NOT_DRAINED = 75;

    /** How early a batch may have been fetched bounds a silent shard's watermark. No property; the KCL's own is 3. */
    private static final int PREFETCHED_BATCHES = 1;

    private static final Logger log = LoggerFactory.getLogger(KclDaemon.class);

    /** What a System.exit means that is not ours: the KCL's record processor calls it when its child fails. */
    private static volatile int exitCode = CHILD_FAILED;

    public static void main(String[] args) {
        SLF4JBridgeHandler.removeHandlersForRootLogger(); // the adapter logs to java.util.logging too
        SLF4JBridgeHandler.install();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(exitCode)));
        onStopSignal(() -> exit(DRAINED, "stopped before the start was complete"));
        if (Boolean.getBoolean("haltOnStdinEof")) haltOnStdinEof();
        CompletableFuture<Void> started = new CompletableFuture<>();
        String heartbeat = System.getProperty("heartbeatFile");
        if (heartbeat != null) inBackground(() -> beat(Path.of(heartbeat), started));

        Scheduler scheduler = null;
        long graceMillis = 0;
        try {
            var daemon = new MultiLangDaemonConfig(args[0]);
            var config = daemon.getMultiLangDaemonConfiguration();
            scheduler = scheduler(daemon, config, started);
            graceMillis = config.getShutdownGraceMillis() > 0 ? config.getShutdownGraceMillis() : Long.MAX_VALUE;
        } catch (Throwable t) {
            log.error("Bad configuration", t);
            exit(BAD_CONFIGURATION, "bad configuration: " + t);
        }
        started.orTimeout(Long.getLong("startTimeoutSeconds", 60), TimeUnit.SECONDS).exceptionally(t -> {
            exit(UNREACHABLE, "the stream or the lease table could not be reached in time");
            return null;
        });
        createFirstLeases(scheduler);
        drainOnStopSignal(scheduler, started, graceMillis);
        scheduler.run();
        // The drain's own thread ends the process; without one, run() has given up initializing.
        if (!scheduler.hasGracefulShutdownStarted()) exit(UNREACHABLE, "the KCL gave up initializing");
        // Were this the last thread, the process would end by itself before the drain's has said how.
        while (true) LockSupport.park();
    }

    // Who started us was killed, and may start another daemon with our worker id: two of those would share leases.
    private static void haltOnStdinEof() {
        inBackground(() -> {
            try {
                System.in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                // as good as the end
            }
            Runtime.getRuntime().halt(CHILD_FAILED);
        });
    }

    /**
     * The sign of life for who started us: the file is touched every second; that it is not empty says that the KCL has
     * started. A JVM that hangs, or does nothing but collect garbage, gives none.
     */
    private static void beat(Path file, CompletableFuture<Void> started) {
        while (true) {
            try {
                Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
                if (started.isDone() && Files.size(file) == 0) Files.writeString(file, "started");
            } catch (IOException e) {
                // the file's age tells it
            }
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
        }
    }

    private static void inBackground(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }

    private static Scheduler scheduler(
            MultiLangDaemonConfig daemon, MultiLangDaemonConfiguration config, CompletableFuture<Void> started) {
        boolean dynamo = DynamoDbStreams.isStream(config.getStreamName());
        var children = daemon.getRecordProcessorFactory();
        var r = config.resolvedConfiguration(dynamo ? DynamoDbStreams.processors(children) : children);
        r.coordinatorConfig.workerStateChangeListener(state -> {
            if (state == WorkerState.STARTED) started.complete(null);
        });
        // One poll lies between a child's initialize and its first record; 1 s by default, no property.
        r.coordinatorConfig.shardConsumerDispatchPollIntervalMillis(200);
        // How long each shard sync sleeps when it is done, 60 s by default, the first one before any work; 0 in the
        // properties file means "not set". The adapter does the same.
        r.leaseManagementConfig.shardSyncIntervalMillis(0);
        var adapter = dynamo ? DynamoDbStreams.retrieveFrom(config, r.retrievalConfig) : null;
        if (r.retrievalConfig.retrievalSpecificConfig() instanceof PollingConfig polling) {
            polling.recordsFetcherFactory().maxPendingProcessRecordsInput(PREFETCHED_BATCHES);
        }
        return dynamo ? DynamoDbStreams.scheduler(r, adapter) : r.build();
    }

    /** Retries until it succeeds or the start times out. A first start would otherwise sleep a random 1 to 30 s. */
    private static void createFirstLeases(Scheduler scheduler) {
        var leases = scheduler.leaseRefresher();
        var shards = scheduler.leaseManagementConfig().leaseManagementFactory().createShardSyncTaskManager(
                new NullMetricsFactory(),
                scheduler.retrievalConfig().streamTracker().streamConfigList().get(0),
                new DeletedStreamListProvider());
        while (true) {
            try {
                List<?> found = shards.shardDetector().listShards();
                if (found == null || found.isEmpty()) {
                    throw new IllegalStateException("the stream has no shards, or there is no such stream");
                }
                scheduler.leaseCoordinator().initialize();
                leases.createLeaseOwnerToLeaseKeyIndexIfNotExists(); // the scheduler would poll for it every 10 s
                leases.waitUntilLeaseOwnerToLeaseKeyIndexExists(1, 600);
                if (leases.isLeaseTableEmpty()) {
                    Exception failure = shards.callShardSyncTask().getException();
                    if (failure != null) throw failure;
                }
                return;
            } catch (Exception e) {
                log.warn("Not started yet: {}", e.toString());
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
            }
        }
    }

    // Not in a shutdown hook: when a child dies the record processor's thread calls System.exit(1), and a hook that
    // waits for that thread would only hold the dead daemon up for the whole grace period.
    private static void drainOnStopSignal(Scheduler scheduler, CompletableFuture<Void> started, long graceMillis) {
        onStopSignal(() -> {
            if (!started.isDone()) { // a drain begun before the scheduler's loop would wait for it in vain
                exit(DRAINED, "stopped before the start was complete");
            }
            // a draining scheduler's loop fails 5 times a second, with a stack trace, in 2.x mode
            ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Scheduler.class)).setLevel(OFF);
            scheduler.startGracefulShutdown()
                    .orTimeout(graceMillis, TimeUnit.MILLISECONDS)
                    .whenComplete((all, t) -> {
                        if (t != null) exit(NOT_DRAINED, "not drained within shutdownGraceMillis: " + t);
                        // false: every consumer has ended, one of them because its lease was lost meanwhile
                        exit(DRAINED, all ? "drained" : "drained, and a lease lost meanwhile");
                    });
        });
    }

    private static void onStopSignal(Runnable action) {
        for (String name : List.of("TERM", "INT")) Signal.handle(new Signal(name), signal -> action.run());
    }

    private static void exit(int code, String why) {
        exitCode = code;
        log.atLevel(code == DRAINED ? Level.INFO : Level.ERROR).log("Exit {}: {}", code, why);
        System.exit(code);
    }
}
