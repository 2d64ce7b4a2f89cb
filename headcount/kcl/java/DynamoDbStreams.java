package software.amazon.kinesis.multilang.config; // ResolvedConfiguration is package-private

import static ch.qos.logback.classic.Level.OFF;

import ch.qos.logback.classic.Logger;
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsSchedulerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration.ResolvedConfiguration;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.ShardRecordProcessorFactory;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** What AWS's DynamoDB Streams adapter needs to stand where the KCL expects Kinesis. */
final class DynamoDbStreams {

    static boolean isStream(String name) {
        return name.startsWith("arn:") && name.contains(":dynamodb:");
    }

    static ShardRecordProcessorFactory processors(ShardRecordProcessorFactory children) {
        return () -> new Processor(children.shardRecordProcessor());
    }

    static AmazonDynamoDBStreamsAdapterClient retrieveFrom(
            MultiLangDaemonConfiguration config, RetrievalConfig retrieval) {
        // region, credentials and endpoint as the properties file gives them for "kinesis"
        var kinesis = retrieval.kinesisClient().serviceClientConfiguration();
        var streams = DynamoDbStreamsClient.builder()
                .region(kinesis.region())
                .credentialsProvider(config.getKinesisCredentialsProvider().build(AwsCredentialsProvider.class));
        kinesis.endpointOverride().ifPresent(streams::endpointOverride);

        // DynamoDB Local's ARNs say "ddblocal", which the adapter refuses: show it a real region, send the real ARN
        String arn = config.getStreamName();
        String shown = arn.replace(":ddblocal:", ":" + kinesis.region() + ":");
        if (!shown.equals(arn)) {
            streams.overrideConfiguration(o -> o.addExecutionInterceptor(new StreamArn(arn)));
        }
        var adapter = new AmazonDynamoDBStreamsAdapterClient(streams.build(), kinesis.region());

        var polling = new DynamoDBStreamsPollingConfig(adapter);
        if (config.getIdleTimeBetweenReadsInMillis() > 0) {
            polling.idleTimeBetweenReadsInMillis(config.getIdleTimeBetweenReadsInMillis());
        }
        if (config.getMaxRecords() > 0) polling.maxRecords(config.getMaxRecords());
        retrieval
                .streamTracker(StreamsSchedulerFactory.createSingleStreamTracker(
                        shown, config.getInitialPositionInStreamExtended()))
                .retrievalSpecificConfig(polling);
        return adapter;
    }

    static Scheduler scheduler(ResolvedConfiguration r, AmazonDynamoDBStreamsAdapterClient adapter) {
        // misses, every minute, the hash ranges that shards of DynamoDB do not have
        ((Logger) LoggerFactory.getLogger("software.amazon.kinesis.coordinator.PeriodicShardSyncManager")).setLevel(OFF);
        return StreamsSchedulerFactory.createScheduler(
                r.checkpointConfig, r.coordinatorConfig, r.leaseManagementConfig, r.lifecycleConfig,
                r.metricsConfig, r.processorConfig, r.retrievalConfig, adapter);
    }

    private record StreamArn(String arn) implements ExecutionInterceptor {
        public SdkRequest modifyRequest(Context.ModifyRequest context, ExecutionAttributes attributes) {
            if (context.request() instanceof DescribeStreamRequest r) return r.toBuilder().streamArn(arn).build();
            if (context.request() instanceof GetShardIteratorRequest r) return r.toBuilder().streamArn(arn).build();
            return context.request();
        }
    }

    /** The adapter demands its own processor type; the records already carry their JSON as data. */
    private record Processor(ShardRecordProcessor child) implements DynamoDBStreamsShardRecordProcessor {
        public void initialize(InitializationInput input) { child.initialize(input); }
        public void processRecords(ProcessRecordsInput input) { child.processRecords(input); }
        public void leaseLost(LeaseLostInput input) { child.leaseLost(input); }
        public void shardEnded(ShardEndedInput input) { child.shardEnded(input); }
        public void shutdownRequested(ShutdownRequestedInput input) { child.shutdownRequested(input); }

        public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
            throw new UnsupportedOperationException();
        }
    }
}
