# Wrong values of variables-watch.tf are refused before anything is made.

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
  subnet_ids = ["subnet-0123456789abcdef0"]
}

run "a_retention_that_cloudwatch_has_not" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}

run "a_log_key_by_alias" {
  command = plan

  variables {
    log_kms_key_arn = "alias/logs"
  }

  expect_failures = [var.log_kms_key_arn]
}

run "insights_by_another_word" {
  command = plan

  variables {
    container_insights = "on"
  }

  expect_failures = [var.container_insights]
}

run "a_query_url_for_writing" {
  command = plan

  variables {
    prometheus_remote_write_url = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/query"
  }

  expect_failures = [var.prometheus_remote_write_url]
}

run "a_collector_tagged_latest" {
  command = plan

  variables {
    collector_image = "public.ecr.aws/aws-observability/aws-otel-collector:latest"
  }

  expect_failures = [var.collector_image]
}

run "a_namespace_without_a_dot" {
  command = plan

  variables {
    service_discovery_namespace = "headcount"
  }

  expect_failures = [var.service_discovery_namespace]
}

run "an_address_without_a_topic" {
  command = plan

  variables {
    alarm_emails = ["ops@example.com"]
  }

  expect_failures = [var.alarm_emails]
}

run "a_topic_by_name" {
  command = plan

  variables {
    alarm_actions = ["pager"]
  }

  expect_failures = [var.alarm_actions]
}

run "an_alarm_at_once" {
  command = plan

  variables {
    alarm_age_seconds = 1
  }

  expect_failures = [var.alarm_age_seconds]
}

run "a_cost_tag_of_amazons" {
  command = plan

  variables {
    cost_tag = { key = "aws:budget" }
  }

  expect_failures = [var.cost_tag]
}

run "a_budget_that_tells_nobody" {
  command = plan

  variables {
    monthly_budget = { usd = 100, emails = [] }
  }

  expect_failures = [var.monthly_budget]
}
