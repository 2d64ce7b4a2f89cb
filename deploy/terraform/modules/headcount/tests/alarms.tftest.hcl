# Alarms and the budget.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  images = {
    consumer         = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-consumer:1.0.0"
    level_aggregator = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-level-aggregator:1.0.0"
    pruner           = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-pruner:1.0.0"
  }
  vpc_id     = "vpc-0123456789abcdef0"
  subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
}

run "streams" {
  command = plan

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.stream), [aws_cloudwatch_metric_alarm.nobody_reads_events, aws_cloudwatch_metric_alarm.consumer_scale_out]) : alarm.dimensions == tomap({ StreamName = "enriched-good" })])
    error_message = "alarms on the stream look at this stream"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.stream["events-are-old"].metric_name == "GetRecords.IteratorAgeMilliseconds" && aws_cloudwatch_metric_alarm.stream["events-are-old"].threshold == 300000
    error_message = "old events raise an alarm"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.stream["stream-reads-throttled"].metric_name == "ReadProvisionedThroughputExceeded"
    error_message = "throttled reads raise an alarm"
  }

  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.nobody_reads_events, aws_cloudwatch_metric_alarm.nobody_reads_changes] : alarm.treat_missing_data == "breaching" && alarm.statistic == "SampleCount" && alarm.comparison_operator == "LessThanThreshold"])
    error_message = "silence of the readers raises an alarm"
  }
}

run "tables" {
  command = plan

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.table_throttled) == ["dead_letter", "history", "level", "player", "progress", "transitions"] && keys(aws_cloudwatch_metric_alarm.table_errors) == keys(aws_cloudwatch_metric_alarm.table_throttled)
    error_message = "each table has alarms"
  }

  assert {
    condition = alltrue(flatten([
      for alarms in [aws_cloudwatch_metric_alarm.table_throttled, aws_cloudwatch_metric_alarm.table_errors] : [
        for table, alarm in alarms : [for query in alarm.metric_query : query.metric[0].dimensions["TableName"] == var.table_names[table] if length(query.metric) > 0]
      ]
    ]))
    error_message = "a table's alarms look at that table"
  }

  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.table_errors) : length(alarm.metric_query) <= 10 && length([for query in alarm.metric_query : query if query.return_data == true]) == 1])
    error_message = "CloudWatch takes ten metrics in an alarm, and one result"
  }
}

run "tasks" {
  command = plan

  assert {
    condition     = { for service, alarm in aws_cloudwatch_metric_alarm.tasks_missing : service => one(distinct([for query in alarm.metric_query : query.metric[0].dimensions["ServiceName"] if length(query.metric) > 0])) } == { consumer = "consumer", level_aggregator = "level-aggregator", pruner = "pruner" }
    error_message = "missing tasks of each service raise an alarm"
  }
}

run "no_insights_no_alarm_on_tasks" {
  command = plan

  variables {
    container_insights = "disabled"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.tasks_missing) == 0
    error_message = "without Container Insights its metrics would be missing for ever"
  }
}

run "log_signals" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.log_signal["gap-error"].threshold == 1 && aws_cloudwatch_metric_alarm.log_signal["gap-error"].namespace == "Headcount/headcount"
    error_message = "one GapError raises an alarm"
  }
}

run "where_alarms_go" {
  command = apply

  variables {
    create_alarm_topic    = true
    alarm_emails          = ["ops@example.com"]
    alarm_actions         = ["arn:aws:sns:eu-west-1:123456789012:pager"]
    wait_for_steady_state = false
  }

  assert {
    condition     = aws_sns_topic_subscription.email["ops@example.com"].topic_arn == aws_sns_topic.alarms[0].arn
    error_message = "the address is subscribed to the topic"
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.stream), values(aws_cloudwatch_metric_alarm.table_throttled), values(aws_cloudwatch_metric_alarm.table_errors),
        values(aws_cloudwatch_metric_alarm.tasks_missing), values(aws_cloudwatch_metric_alarm.log_signal),
        [aws_cloudwatch_metric_alarm.nobody_reads_events, aws_cloudwatch_metric_alarm.nobody_reads_changes],
      ) : alarm.alarm_actions == toset([aws_sns_topic.alarms[0].arn, "arn:aws:sns:eu-west-1:123456789012:pager"])
    ])
    error_message = "every alarm goes to the topic and to what the user named"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.consumer_scale_out.alarm_actions == toset([aws_appautoscaling_policy.consumer_age.arn])
    error_message = "what scales out wakes nobody"
  }
}

run "no_budget_unasked" {
  command = plan

  assert {
    condition     = length(aws_budgets_budget.monthly) == 0
    error_message = "no budget is made unasked"
  }
}

run "budget" {
  command = plan

  variables {
    monthly_budget = { usd = 150, emails = ["ops@example.com"] }
    cost_tag       = { key = "cost-centre", value = "games" }
  }

  assert {
    condition     = one(aws_budgets_budget.monthly[0].cost_filter).values == tolist(["user:cost-centre$games"]) && aws_budgets_budget.monthly[0].limit_amount == "150"
    error_message = "the budget counts what carries the cost tag"
  }

  assert {
    condition     = aws_ecs_cluster.this.tags["cost-centre"] == "games"
    error_message = "and everything carries it"
  }
}
