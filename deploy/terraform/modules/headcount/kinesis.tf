resource "aws_kinesis_stream" "events" {
  count = var.create_events_stream ? 1 : 0

  name             = var.events_stream_name
  shard_count      = var.events_stream_shards
  retention_period = var.events_stream_retention_hours
  encryption_type  = "KMS"
  kms_key_id       = coalesce(var.kms_key_arn, "alias/aws/kinesis")
  tags             = local.tags

  # What the KCL registers for enhanced fan-out is nobody's resource, and would keep the stream from being destroyed. So would
  # other readers' consumers, which go with it.
  enforce_consumer_deletion = !var.deletion_protection

  stream_mode_details {
    stream_mode = "PROVISIONED"
  }
}

data "aws_kinesis_stream" "events" {
  count = var.create_events_stream ? 0 : 1

  name = var.events_stream_name
}

locals {
  events_stream_arn = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/${var.events_stream_name}"
  open_shards       = var.create_events_stream ? var.events_stream_shards : length(data.aws_kinesis_stream.events[0].open_shards)
}
