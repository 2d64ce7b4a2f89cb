resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

resource "aws_ecs_service" "consumer" {
  name                    = local.services.consumer.slug
  cluster                 = aws_ecs_cluster.this.id
  task_definition         = aws_ecs_task_definition.service["consumer"].arn
  desired_count           = local.consumers.min
  launch_type             = "FARGATE"
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true
  wait_for_steady_state   = var.wait_for_steady_state
  tags                    = local.tags

  # New tasks beside the old ones: both may read a shard for a while, no count changes by it (rules 1, 3 and 7).
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = false
  }

  dynamic "service_registries" {
    for_each = var.service_discovery_namespace == null ? [] : [aws_service_discovery_service.service["consumer"].arn]

    content {
      registry_arn = service_registries.value
    }
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }

  depends_on = [aws_dynamodb_table.data, aws_dynamodb_table.kcl, aws_kinesis_stream.events, aws_iam_role_policy.task, aws_iam_role_policy.execution]
}

resource "aws_ecs_service" "steady" {
  for_each = {
    level_aggregator = var.level_aggregator_count
    pruner           = var.pruner_count
  }

  name                    = local.services[each.key].slug
  cluster                 = aws_ecs_cluster.this.id
  task_definition         = aws_ecs_task_definition.service[each.key].arn
  desired_count           = each.value
  launch_type             = "FARGATE"
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true
  wait_for_steady_state   = var.wait_for_steady_state
  tags                    = local.tags

  # As for the consumer; two pruners at once are safe, too.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = false
  }

  dynamic "service_registries" {
    for_each = var.service_discovery_namespace == null ? [] : [aws_service_discovery_service.service[each.key].arn]

    content {
      registry_arn = service_registries.value
    }
  }

  depends_on = [aws_dynamodb_table.data, aws_dynamodb_table.kcl, aws_kinesis_stream.events, aws_iam_role_policy.task, aws_iam_role_policy.execution]
}
