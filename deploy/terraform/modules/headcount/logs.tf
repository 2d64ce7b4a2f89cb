locals {
  log_groups = { for service, it in local.services : service => "/${var.name}/${it.slug}" }

  # Lines that a person should know of, by what they say; docs/operations.md tells what to do.
  every_log_signal = {
    gap-error             = { service = "level_aggregator", pattern = "GapError", threshold = 1, says = "the aggregator stops: changes would be lost to the counts" }
    consumer-failed       = { service = "consumer", pattern = "record processor failed", threshold = 3, says = "workers of the consumer fail again and again" }
    aggregator-failed     = { service = "level_aggregator", pattern = "record processor failed", threshold = 3, says = "workers of the aggregator fail again and again" }
    consumer-cannot-run   = { service = "consumer", pattern = "cannot run", threshold = 1, says = "the consumer can't start" }
    aggregator-cannot-run = { service = "level_aggregator", pattern = "cannot run", threshold = 1, says = "the aggregator can't start" }
    pruner-cannot-run     = { service = "pruner", pattern = "cannot run", threshold = 1, says = "the pruner can't start" }
    pruner-pass-failed    = { service = "pruner", pattern = "pass failed", threshold = 3, says = "passes of the pruner fail again and again" }
    map-cannot-run        = { service = "game_map", pattern = "cannot run", threshold = 1, says = "the map can't start" }
    map-look-failed       = { service = "game_map", pattern = "look failed", threshold = 60, says = "looks of the map at the tables fail again and again" }
  }

  log_signals = { for name, it in local.every_log_signal : name => it if contains(keys(local.services), it.service) }
}

resource "aws_cloudwatch_log_group" "service" {
  #checkov:skip=CKV_AWS_158:A customer key is the user's choice (log_kms_key_arn); CloudWatch encrypts logs anyway.
  #checkov:skip=CKV_AWS_338:30 days are enough to follow a fault; log_retention_days sets more.
  for_each = local.services

  name              = local.log_groups[each.key]
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = local.tags
}

resource "aws_cloudwatch_log_metric_filter" "signal" {
  for_each = local.log_signals

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.service[each.value.service].name
  pattern        = "\"${each.value.pattern}\""

  metric_transformation {
    namespace     = "Headcount/${var.name}"
    name          = each.key
    value         = "1"
    default_value = "0"
  }
}
