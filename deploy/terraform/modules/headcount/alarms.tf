# What stands beside Prometheus' own alerts: seen by AWS, also when no Headcount runs to be scraped.

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch can't publish to a topic under AWS's own key; a customer key is the user's choice (alarm_topic_kms_key_arn).
  count = var.create_alarm_topic ? 1 : 0

  name              = "${var.name}-alarms"
  kms_master_key_id = var.alarm_topic_kms_key_arn
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  alarm_actions = concat(aws_sns_topic.alarms[*].arn, var.alarm_actions)

  stream_alarms = {
    events-are-old = {
      says      = "The oldest unread event of the stream is older than ${var.alarm_age_seconds} s: is the consumer behind?"
      metric    = "GetRecords.IteratorAgeMilliseconds"
      statistic = "Maximum"
      more_than = 1000 * var.alarm_age_seconds
      minutes   = 10
      missing   = "notBreaching"
    }
    stream-reads-throttled = {
      says      = "Reads of the stream are throttled: too many readers, or HEADCOUNT_POLL_MILLISECONDS is too small."
      metric    = "ReadProvisionedThroughputExceeded"
      statistic = "Sum"
      more_than = 0
      minutes   = 10
      missing   = "notBreaching"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "stream" {
  for_each = local.stream_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = "AWS/Kinesis"
  metric_name         = each.value.metric
  dimensions          = { StreamName = var.events_stream_name }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.more_than
  treat_missing_data  = each.value.missing
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "nobody_reads_events" {
  alarm_name          = "${var.name}-nobody-reads-events"
  alarm_description   = "Nobody has read the stream for five minutes. The other readers of a shared stream count, too."
  namespace           = "AWS/Kinesis"
  metric_name         = "GetRecords.Success"
  dimensions          = { StreamName = var.events_stream_name }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "nobody_reads_changes" {
  alarm_name        = "${var.name}-nobody-reads-changes"
  alarm_description = "Nobody has read PlayerState's stream for five minutes: its changes are not counted, and gone after 24 h."
  namespace         = "AWS/DynamoDB"
  metric_name       = "SuccessfulRequestLatency"
  dimensions = {
    TableName   = aws_dynamodb_table.data["player"].name
    Operation   = "GetRecords"
    StreamLabel = aws_dynamodb_table.data["player"].stream_label
  }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "tasks_missing" {
  for_each = var.container_insights == "disabled" ? {} : local.services

  alarm_name          = "${var.name}-${each.value.slug}-tasks-missing"
  alarm_description   = "Fewer tasks of ${each.value.slug} run than shall, for ten minutes: look at the service's events."
  evaluation_periods  = 10
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags

  metric_query {
    id          = "missing"
    expression  = "desired - FILL(running, 0)"
    label       = "Missing tasks"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { desired = "DesiredTaskCount", running = "RunningTaskCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "ECS/ContainerInsights"
        metric_name = metric_query.value
        dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = each.value.slug }
        stat        = "Average"
        period      = 60
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "log_signal" {
  for_each = local.log_signals

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "The log says: ${each.value.says}. See docs/operations.md."
  namespace           = aws_cloudwatch_log_metric_filter.signal[each.key].metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.signal[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}
