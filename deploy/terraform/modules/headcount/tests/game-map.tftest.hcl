# The game map: nothing of it unasked; asked for, HTTPS for those who may look, and rights to read.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  images = {
    consumer         = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-consumer:1.0.0"
    level_aggregator = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-level-aggregator:1.0.0"
    pruner           = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-pruner:1.0.0"
    game_map         = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-game-map:1.0.0"
  }
  vpc_id     = "vpc-0123456789abcdef0"
  subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  game_map = {
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
    client_cidrs    = ["203.0.113.0/24", "198.51.100.7/32"]
  }
  wait_for_steady_state = false
}

run "no_map_unasked" {
  command = plan

  variables {
    game_map = null
  }

  assert {
    condition     = length(aws_ecs_service.map) + length(aws_lb.map) + length(aws_lb_target_group.map) + length(aws_lb_listener.map) + length(aws_lb_listener.map_to_https) + length(aws_security_group.map) + length(aws_security_group.map_balancer) + length(aws_vpc_security_group_ingress_rule.map_balancer) + length(aws_cloudwatch_metric_alarm.map_unreachable) == 0
    error_message = "no map, no load balancer"
  }

  assert {
    condition     = !contains(keys(aws_iam_role.task), "game_map") && !contains(keys(aws_ecs_task_definition.service), "game_map") && !contains(keys(aws_cloudwatch_log_group.service), "game_map") && !contains(keys(aws_cloudwatch_metric_alarm.log_signal), "map-cannot-run")
    error_message = "nor a role, a task, a log or an alarm"
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "game-map")
    error_message = "nor a right to pull its image"
  }

  assert {
    condition     = output.game_map_dns_name == null && output.game_map_load_balancer_arn == null
    error_message = "outputs are null"
  }
}

run "task" {
  command = plan

  variables {
    settings = { HEADCOUNT_MAP_FEWEST = "5" }
  }

  assert {
    condition     = [aws_ecs_task_definition.service["game_map"].family, tonumber(aws_ecs_task_definition.service["game_map"].cpu), tonumber(aws_ecs_task_definition.service["game_map"].memory)] == ["headcount-game-map", 256, 512]
    error_message = "a quarter of a core and half a GB"
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].environment : variable.name => variable.value if startswith(variable.name, "HEADCOUNT_MAP_") } == {
      HEADCOUNT_MAP_FEWEST  = "5"
      HEADCOUNT_MAP_HOST    = "0.0.0.0"
      HEADCOUNT_MAP_PORT    = "8080"
      HEADCOUNT_MAP_PROXIES = "1"
    }
    error_message = "the load balancer is the one proxy, and says who asks"
  }

  assert {
    condition     = alltrue([for service in ["consumer", "level_aggregator", "pruner"] : !strcontains(aws_ecs_task_definition.service[service].container_definitions, "HEADCOUNT_MAP_HOST")])
    error_message = "the others serve no map"
  }

  assert {
    condition     = [for port in jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].portMappings : [port.name, port.containerPort]] == [["map", 8080], ["metrics", 9464]]
    error_message = "the map has a port beside its metrics'"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].user == "10001:10001" && jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "it is as confined as the others"
  }
}

run "role" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : statement.Sid] == concat([for statement in local.permissions.services["game_map"] : statement.sid if !can(statement.only_with)], ["UseCustomerKeys"])
    error_message = "it has the statements of permissions.json, and may use the tables' key"
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : [
        for action in statement.Action : !strcontains(statement.Resource, "table/PlayerState") || contains(["dynamodb:DescribeTable", "dynamodb:DescribeStream"], action)
      ] if statement.Sid != "UseCustomerKeys"
    ]))
    error_message = "it can read no player"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.execution.policy, "repository/headcount-game-map") && strcontains(aws_iam_role_policy.execution.policy, "/headcount/game-map:log-stream")
    error_message = "its image is pulled, its log written"
  }
}

run "no_snapshots_unasked" {
  command = plan

  assert {
    condition     = !strcontains(aws_iam_role_policy.task["game_map"].policy, "s3:") && !strcontains(aws_iam_role_policy.task["game_map"].policy, "table/Transitions/stream") && !strcontains(aws_ecs_task_definition.service["game_map"].container_definitions, "HEADCOUNT_MAP_BUCKET")
    error_message = "no bucket, no right on one, nor on the stream that snapshots are made of"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : statement.Action if statement.Resource == "arn:aws:dynamodb:eu-west-1:123456789012:table/LevelHistory"]) == ["dynamodb:BatchWriteItem", "dynamodb:DescribeTable", "dynamodb:Query"]
    error_message = "the history is written without them"
  }

  assert {
    condition     = alltrue([for service in ["consumer", "level_aggregator", "pruner"] : !strcontains(aws_iam_role_policy.task[service].policy, "LevelHistory")])
    error_message = "by nobody else"
  }
}

run "snapshots" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      snapshots       = { bucket = "game-snapshots", prefix = "live/", kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/33333333-2222-3333-4444-555555555555" }
    }
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].environment : variable.name => variable.value if contains(["HEADCOUNT_MAP_BUCKET", "HEADCOUNT_MAP_PREFIX"], variable.name) } == {
      HEADCOUNT_MAP_BUCKET = "game-snapshots"
      HEADCOUNT_MAP_PREFIX = "live/"
    }
    error_message = "it publishes there"
  }

  assert {
    condition     = alltrue([for service in ["consumer", "level_aggregator", "pruner"] : !strcontains(aws_ecs_task_definition.service[service].container_definitions, "game-snapshots") && !strcontains(aws_iam_role_policy.task[service].policy, "s3")])
    error_message = "the others have nothing to do with it"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : statement.Sid] == concat([for statement in local.permissions.services["game_map"] : statement.sid], ["UseCustomerKeys", "UseSnapshotsKey"])
    error_message = "it has every statement of permissions.json, and may use both keys"
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : join(" ", statement.Action) => flatten([statement.Resource]) if startswith(statement.Action[0], "s3:") } == {
      "s3:ListBucket" = ["arn:aws:s3:::game-snapshots"]
      "s3:GetObject s3:PutObject" = [
        "arn:aws:s3:::game-snapshots/live/level_information.json",
        "arn:aws:s3:::game-snapshots/live/publication.json",
        "arn:aws:s3:::game-snapshots/live/transition_information.json",
      ]
    }
    error_message = "of the bucket it may touch three objects"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : statement.Action if statement.Resource == "arn:aws:dynamodb:eu-west-1:123456789012:table/Transitions/stream/*"]) == ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    error_message = "it reads the stream that they are made of"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.task["game_map"].policy).Statement : [statement.Action, statement.Resource, statement.Condition.StringEquals["kms:ViaService"]] if statement.Sid == "UseSnapshotsKey"]) == [["kms:Decrypt", "kms:GenerateDataKey"], [var.game_map.snapshots.kms_key_arn], ["s3.eu-west-1.amazonaws.com"]]
    error_message = "the bucket's key through S3 only"
  }
}

run "snapshots_under_no_key_at_the_top" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      snapshots       = { bucket = "game-snapshots" }
    }
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.task["game_map"].policy, "arn:aws:s3:::game-snapshots/level_information.json") && !strcontains(aws_iam_role_policy.task["game_map"].policy, "kms:")
    error_message = "names begin with nothing, no key may be used"
  }
}

run "balancer" {
  command = apply

  assert {
    condition     = aws_lb.map[0].load_balancer_type == "application" && !aws_lb.map[0].internal && aws_lb.map[0].subnets == toset(var.game_map.subnet_ids) && aws_lb.map[0].drop_invalid_header_fields && aws_lb.map[0].enable_deletion_protection
    error_message = "it stands in its own subnets"
  }

  assert {
    condition     = aws_lb.map[0].idle_timeout > 60
    error_message = "a stream outlives a map that is silent for a minute"
  }

  assert {
    condition     = [aws_lb_listener.map[0].protocol, aws_lb_listener.map[0].port, aws_lb_listener.map[0].certificate_arn, aws_lb_listener.map[0].default_action[0].target_group_arn] == ["HTTPS", 443, var.game_map.certificate_arn, aws_lb_target_group.map[0].arn] && strcontains(aws_lb_listener.map[0].ssl_policy, "TLS13")
    error_message = "it speaks HTTPS with the given certificate, TLS 1.2 or newer"
  }

  assert {
    condition     = aws_lb_listener.map_to_https[0].port == 80 && aws_lb_listener.map_to_https[0].default_action[0].type == "redirect" && aws_lb_listener.map_to_https[0].default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP is sent on to HTTPS"
  }

  assert {
    condition     = aws_lb_target_group.map[0].target_type == "ip" && aws_lb_target_group.map[0].port == 8080 && aws_lb_target_group.map[0].health_check[0].path == "/api/levels" && aws_lb_target_group.map[0].health_check[0].matcher == "200"
    error_message = "a task that has read the tables gets requests"
  }

  assert {
    condition     = { for rule in values(aws_vpc_security_group_ingress_rule.map_balancer) : "${rule.cidr_ipv4} ${rule.from_port}" => rule.to_port } == { "203.0.113.0/24 80" = 80, "203.0.113.0/24 443" = 443, "198.51.100.7/32 80" = 80, "198.51.100.7/32 443" = 443 }
    error_message = "those who may look get in, on two ports, and nobody else"
  }

  assert {
    condition = alltrue([
      aws_vpc_security_group_egress_rule.map_balancer[0].referenced_security_group_id == aws_security_group.map[0].id,
      aws_vpc_security_group_ingress_rule.map[0].referenced_security_group_id == aws_security_group.map_balancer[0].id,
      aws_vpc_security_group_ingress_rule.map[0].from_port == 8080,
      aws_vpc_security_group_ingress_rule.map[0].to_port == 8080,
    ])
    error_message = "the load balancer reaches the map's port, and nobody else does"
  }

  assert {
    condition     = aws_ecs_service.map[0].desired_count == 1 && aws_ecs_service.map[0].network_configuration[0].security_groups == toset([aws_security_group.task.id, aws_security_group.map[0].id]) && !aws_ecs_service.map[0].network_configuration[0].assign_public_ip && one(aws_ecs_service.map[0].load_balancer).container_port == 8080 && aws_ecs_service.map[0].deployment_circuit_breaker[0].rollback
    error_message = "tasks have no public address, and roll back by themselves"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.map_unreachable[0].dimensions == tomap({ LoadBalancer = aws_lb.map[0].arn_suffix, TargetGroup = aws_lb_target_group.map[0].arn_suffix }) && aws_cloudwatch_metric_alarm.map_unreachable[0].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.map_refuses[0].metric_name == "HTTPCode_Target_5XX_Count"
    error_message = "a map that nobody reaches, or that refuses, raises an alarm"
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.tasks_missing), "game_map") && aws_cloudwatch_metric_alarm.log_signal["map-look-failed"].threshold == 60 && aws_cloudwatch_log_metric_filter.signal["map-cannot-run"].log_group_name == "/headcount/game-map"
    error_message = "missing tasks and the log raise alarms as for every service"
  }

  assert {
    condition     = output.game_map_dns_name == aws_lb.map[0].dns_name && output.game_map_load_balancer_arn == aws_lb.map[0].arn && output.service_names["game_map"] == "game-map"
    error_message = "outputs say where it is"
  }
}

run "behind_a_cdn_inside_under_a_long_name" {
  command = plan

  variables {
    name                        = "headcount-of-a-game-with-a-name1"
    service_discovery_namespace = "headcount.internal"
    tags                        = { team = "data" }
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["10.0.0.0/8"]
      tasks           = 2
      internal        = true
      proxies         = 2
    }
  }

  assert {
    condition     = one([for variable in jsondecode(aws_ecs_task_definition.service["game_map"].container_definitions)[0].environment : variable.value if variable.name == "HEADCOUNT_MAP_PROXIES"]) == "2" && aws_lb.map[0].internal && aws_ecs_service.map[0].desired_count == 2
    error_message = "all of it is as asked for"
  }

  assert {
    condition     = length(aws_lb.map[0].name) <= 32 && length(aws_lb_target_group.map[0].name) <= 32
    error_message = "AWS takes 32 characters"
  }

  assert {
    condition     = output.metrics_names["game_map"] == "game-map.headcount.internal" && length(aws_ecs_service.map[0].service_registries) == 1
    error_message = "Prometheus finds it"
  }

  assert {
    condition     = alltrue([for tags in [aws_lb.map[0].tags, aws_lb_target_group.map[0].tags, aws_lb_listener.map[0].tags, aws_security_group.map[0].tags, aws_security_group.map_balancer[0].tags, aws_ecs_service.map[0].tags, aws_cloudwatch_metric_alarm.map_unreachable[0].tags] : tags["team"] == "data" && tags["budget"] == "headcount"])
    error_message = "everything carries the tags"
  }
}
