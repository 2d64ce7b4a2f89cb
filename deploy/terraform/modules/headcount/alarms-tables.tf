# On-demand tables throttle for a moment when load doubles; three minutes on end are a hot key or a limit.
resource "aws_cloudwatch_metric_alarm" "table_throttled" {
  for_each = local.tables

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}-table-throttled"
  alarm_description   = "Requests to the table ${var.table_names[each.key]} are throttled."
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags

  metric_query {
    id          = "throttled"
    expression  = "FILL(reads, 0) + FILL(writes, 0)"
    label       = "Throttled requests"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { reads = "ReadThrottleEvents", writes = "WriteThrottleEvents" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = metric_query.value
        dimensions  = { TableName = var.table_names[each.key] }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "table_errors" {
  for_each = local.tables

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}-table-errors"
  alarm_description   = "DynamoDB fails requests to the table ${var.table_names[each.key]}. Services try again; if it stays, see AWS's health."
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags

  metric_query {
    id          = "errors"
    expression  = join(" + ", [for operation in each.value.operations : "FILL(${lower(operation)}, 0)"])
    label       = "System errors"
    return_data = true
  }

  # CloudWatch knows system errors by operation only.
  dynamic "metric_query" {
    for_each = toset(each.value.operations)

    content {
      id = lower(metric_query.value)

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = "SystemErrors"
        dimensions  = { TableName = var.table_names[each.key], Operation = metric_query.value }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}
