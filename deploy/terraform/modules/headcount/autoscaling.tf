# Only the consumer's number follows the load. A change of it moves leases, which takes half a minute: hence slow steps.

locals {
  # A consumer beyond the number of open shards would get none.
  consumers = {
    max = min(coalesce(var.consumer_count.max, local.open_shards), local.open_shards)
    min = min(var.consumer_count.min, local.open_shards)
  }
}

resource "aws_appautoscaling_target" "consumer" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.consumer.name}"
  min_capacity       = local.consumers.min
  max_capacity       = local.consumers.max
  tags               = local.tags
}

resource "aws_appautoscaling_policy" "consumer_cpu" {
  name               = "${var.name}-consumer-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.consumer.service_namespace
  scalable_dimension = aws_appautoscaling_target.consumer.scalable_dimension
  resource_id        = aws_appautoscaling_target.consumer.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.consumer_cpu_target
    scale_out_cooldown = 180
    scale_in_cooldown  = 900

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "consumer_age" {
  name               = "${var.name}-consumer-age"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.consumer.service_namespace
  scalable_dimension = aws_appautoscaling_target.consumer.scalable_dimension
  resource_id        = aws_appautoscaling_target.consumer.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 300

    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 4 * 1000 * var.consumer_scale_out_age_seconds
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = 4 * 1000 * var.consumer_scale_out_age_seconds
      scaling_adjustment          = 2
    }
  }
}

# The metric counts every reader that polls the stream, not only Headcount.
resource "aws_cloudwatch_metric_alarm" "consumer_scale_out" {
  alarm_name          = "${var.name}-consumer-scale-out"
  alarm_description   = "Adds a consumer: the oldest unread event is older than ${var.consumer_scale_out_age_seconds} s. No cause for alarm by itself."
  namespace           = "AWS/Kinesis"
  metric_name         = "GetRecords.IteratorAgeMilliseconds"
  dimensions          = { StreamName = var.events_stream_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000 * var.consumer_scale_out_age_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.consumer_age.arn]
  tags                = local.tags
}
