# The game map's service. Each task reads the tables for itself, once a second.

resource "aws_ecs_service" "map" {
  count = var.game_map == null ? 0 : 1

  name                              = local.services["game_map"].slug
  cluster                           = aws_ecs_cluster.this.id
  task_definition                   = aws_ecs_task_definition.service["game_map"].arn
  desired_count                     = var.game_map.tasks
  launch_type                       = "FARGATE"
  propagate_tags                    = "SERVICE"
  enable_ecs_managed_tags           = true
  wait_for_steady_state             = var.wait_for_steady_state
  health_check_grace_period_seconds = 120
  tags                              = local.tags

  # The old task serves until the new one has read the tables; then its streams are broken off, and come back there.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.task.id, aws_security_group.map[0].id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.map[0].arn
    container_name   = local.services["game_map"].slug
    container_port   = local.map_port
  }

  dynamic "service_registries" {
    for_each = var.service_discovery_namespace == null ? [] : [aws_service_discovery_service.service["game_map"].arn]

    content {
      registry_arn = service_registries.value
    }
  }

  depends_on = [aws_dynamodb_table.data, aws_kinesis_stream.events, aws_iam_role_policy.task, aws_iam_role_policy.execution, aws_lb_listener.map]
}

resource "aws_security_group" "map" {
  count = var.game_map == null ? 0 : 1

  name        = "${var.name}-map-task"
  description = "Tasks of the game map: in from its load balancer"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-map-task" })
}

resource "aws_vpc_security_group_ingress_rule" "map" {
  count = var.game_map == null ? 0 : 1

  security_group_id            = aws_security_group.map[0].id
  description                  = "The load balancer asks the map"
  referenced_security_group_id = aws_security_group.map_balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = local.map_port
  to_port                      = local.map_port
  tags                         = local.tags
}

resource "aws_cloudwatch_metric_alarm" "map_unreachable" {
  count = var.game_map == null ? 0 : 1

  alarm_name          = "${var.name}-map-unreachable"
  alarm_description   = "The load balancer has found no map that answers for three minutes: nobody sees the counts."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.map[0].arn_suffix, TargetGroup = aws_lb_target_group.map[0].arn_suffix }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}

# 5xx of the map's own are 503: it is starting, or has as many streams open as it may.
resource "aws_cloudwatch_metric_alarm" "map_refuses" {
  count = var.game_map == null ? 0 : 1

  alarm_name          = "${var.name}-map-refuses"
  alarm_description   = "The map answers with errors: more streams are asked for than HEADCOUNT_MAP_STREAMS times the tasks, or it can't read the tables."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  dimensions          = { LoadBalancer = aws_lb.map[0].arn_suffix, TargetGroup = aws_lb_target_group.map[0].arn_suffix }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 10
  datapoints_to_alarm = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}
