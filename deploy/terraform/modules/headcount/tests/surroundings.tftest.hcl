# Network, names for Prometheus, logs, tags.

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

run "network" {
  command = plan

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.metrics) == 0
    error_message = "nothing gets in"
  }

  assert {
    condition     = [aws_vpc_security_group_egress_rule.https.ip_protocol, aws_vpc_security_group_egress_rule.https.from_port, aws_vpc_security_group_egress_rule.https.to_port] == ["tcp", 443, 443]
    error_message = "only HTTPS gets out"
  }

  assert {
    condition     = length(aws_vpc_endpoint.dynamodb) == 0
    error_message = "a VPC may have a gateway endpoint already: none is made unasked"
  }
}

run "prometheus_may_scrape" {
  command = plan

  variables {
    metrics_source_security_group_id = "sg-0123456789abcdef0"
    service_discovery_namespace      = "headcount.internal"
    dynamodb_gateway_route_table_ids = ["rtb-0123456789abcdef0"]
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.metrics[0].referenced_security_group_id == "sg-0123456789abcdef0" && aws_vpc_security_group_ingress_rule.metrics[0].from_port == 9464 && aws_vpc_security_group_ingress_rule.metrics[0].to_port == 9464
    error_message = "the metrics port is open to Prometheus' security group, and to nobody else"
  }

  assert {
    condition     = output.metrics_names == { consumer = "consumer.headcount.internal", level_aggregator = "level-aggregator.headcount.internal", pruner = "pruner.headcount.internal" }
    error_message = "each service has a name in the private zone"
  }

  assert {
    condition     = length(aws_ecs_service.consumer.service_registries) == 1 && alltrue([for service in values(aws_ecs_service.steady) : length(service.service_registries) == 1])
    error_message = "each service registers its tasks"
  }

  assert {
    condition     = aws_vpc_endpoint.dynamodb[0].service_name == "com.amazonaws.eu-west-1.dynamodb" && aws_vpc_endpoint.dynamodb[0].vpc_endpoint_type == "Gateway"
    error_message = "the gateway endpoint is DynamoDB's"
  }
}

run "logs" {
  command = plan

  assert {
    condition     = { for service, group in aws_cloudwatch_log_group.service : service => [group.name, group.retention_in_days] } == { consumer = ["/headcount/consumer", 30], level_aggregator = ["/headcount/level-aggregator", 30], pruner = ["/headcount/pruner", 30] }
    error_message = "each service has a log group that forgets"
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.signal["gap-error"].pattern == "\"GapError\"" && aws_cloudwatch_log_metric_filter.signal["gap-error"].log_group_name == "/headcount/level-aggregator"
    error_message = "a GapError in the aggregator's log is counted"
  }
}

run "tags" {
  command = plan

  variables {
    tags = { team = "data" }
  }

  assert {
    condition = alltrue([
      for tags in concat(
        [for made in concat(values(aws_dynamodb_table.data), values(aws_dynamodb_table.kcl)) : made.tags],
        [for made in values(aws_ecs_task_definition.service) : made.tags],
        [for made in values(aws_ecs_service.steady) : made.tags],
        [for made in values(aws_iam_role.task) : made.tags],
        [for made in values(aws_cloudwatch_log_group.service) : made.tags],
        [for made in values(aws_cloudwatch_metric_alarm.stream) : made.tags],
        [aws_kinesis_stream.events[0].tags, aws_ecs_cluster.this.tags, aws_ecs_service.consumer.tags, aws_iam_role.execution.tags, aws_security_group.task.tags],
      ) : tags["team"] == "data" && tags["budget"] == "headcount" && tags["application"] == "headcount"
    ])
    error_message = "everything carries the user's tags and the cost tag"
  }

  assert {
    condition     = aws_ecs_service.consumer.propagate_tags == "SERVICE" && alltrue([for service in values(aws_ecs_service.steady) : service.propagate_tags == "SERVICE"])
    error_message = "tasks, which cost, carry the tags too"
  }
}
