# Task definitions and services.

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

run "task_definitions" {
  command = plan

  assert {
    condition     = { for service, task in aws_ecs_task_definition.service : service => [task.family, tonumber(task.cpu), tonumber(task.memory)] } == { consumer = ["headcount-consumer", 512, 2048], level_aggregator = ["headcount-level-aggregator", 512, 1024], pruner = ["headcount-pruner", 256, 512] }
    error_message = "families and sizes are as variables say"
  }

  assert {
    condition     = alltrue([for task in values(aws_ecs_task_definition.service) : task.runtime_platform[0].cpu_architecture == "ARM64" && task.network_mode == "awsvpc" && contains(task.requires_compatibilities, "FARGATE")])
    error_message = "tasks run on Fargate, on ARM"
  }

  assert {
    condition     = alltrue([for task in values(aws_ecs_task_definition.service) : one(task.volume).name == "tmp"])
    error_message = "each task has a volume for /tmp"
  }

  assert {
    condition = alltrue([
      for task in values(aws_ecs_task_definition.service) : alltrue([
        for container in jsondecode(task.container_definitions) :
        container.readonlyRootFilesystem
        && container.privileged == false
        && container.linuxParameters.capabilities.drop == ["ALL"]
        && container.user == "10001:10001"
        && container.stopTimeout == 120
        && container.mountPoints == [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
        && !can(container.secrets)
      ])
    ])
    error_message = "a container writes to /tmp only, as an unprivileged user without capabilities, and drains for up to 120 s"
  }

  assert {
    condition     = alltrue([for task in values(aws_ecs_task_definition.service) : jsondecode(task.container_definitions)[0].healthCheck.command == ["CMD", "python", "-m", "headcount.healthcheck"]])
    error_message = "the health check is the image's own"
  }

  assert {
    condition     = alltrue([for task in values(aws_ecs_task_definition.service) : jsondecode(task.container_definitions)[0].restartPolicy == { enabled = true, ignoredExitCodes = [0, 2, 64], restartAttemptPeriod = 60 }])
    error_message = "what ends by itself is restarted in its task, unless no restart mends it"
  }

  assert {
    condition     = { for service, task in aws_ecs_task_definition.service : service => [for container in jsondecode(task.container_definitions) : container.logConfiguration.options.awslogs-group] } == { consumer = ["/headcount/consumer"], level_aggregator = ["/headcount/level-aggregator"], pruner = ["/headcount/pruner"] }
    error_message = "each service logs to its own group"
  }
}

run "environment" {
  command = plan

  variables {
    app_ids  = ["codecombat", "ozaria"]
    settings = { HEADCOUNT_IDLE_TIMEOUT_SECONDS = "120" }
  }

  assert {
    condition = alltrue([
      for task in values(aws_ecs_task_definition.service) : { for variable in jsondecode(task.container_definitions)[0].environment : variable.name => variable.value } == {
        AWS_REGION                     = "eu-west-1"
        HEADCOUNT_APPLICATION          = "headcount"
        HEADCOUNT_APP_IDS              = "codecombat,ozaria"
        HEADCOUNT_DEAD_LETTER_TABLE    = "DeadLetters"
        HEADCOUNT_EVENTS_STREAM        = "enriched-good"
        HEADCOUNT_HISTORY_TABLE        = "LevelHistory"
        HEADCOUNT_IDLE_TIMEOUT_SECONDS = "120"
        HEADCOUNT_LEVEL_TABLE          = "LevelState"
        HEADCOUNT_METRICS_HOST         = "0.0.0.0"
        HEADCOUNT_METRICS_PORT         = "9464"
        HEADCOUNT_PLAYER_TABLE         = "PlayerState"
        HEADCOUNT_PROGRESS_TABLE       = "StreamProgress"
        HEADCOUNT_TRANSITIONS_TABLE    = "Transitions"
        HEADCOUNT_WORKER_ID            = "ecs-task-id"
      }
    ])
    error_message = "every service gets all settings, the user's included, and nothing else: no secret"
  }
}

run "services" {
  command = plan

  assert {
    condition = alltrue([
      for service in concat([aws_ecs_service.consumer], values(aws_ecs_service.steady)) :
      service.deployment_minimum_healthy_percent == 100
      && service.deployment_maximum_percent == 200
      && service.deployment_circuit_breaker[0].enable
      && service.deployment_circuit_breaker[0].rollback
      && service.network_configuration[0].assign_public_ip == false
      && toset(service.network_configuration[0].subnets) == toset(var.subnet_ids)
      && service.launch_type == "FARGATE"
    ])
    error_message = "services roll over without a gap, roll back by themselves, and have no public address"
  }

  assert {
    condition     = { for service, made in aws_ecs_service.steady : service => made.desired_count } == { level_aggregator = 2, pruner = 1 }
    error_message = "aggregators and pruners are as many as asked for"
  }
}

run "collector" {
  command = plan

  variables {
    prometheus_remote_write_url = "https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-12345678-90ab-cdef-1234-567890abcdef/api/v1/remote_write"
  }

  assert {
    condition     = alltrue([for task in values(aws_ecs_task_definition.service) : [for container in jsondecode(task.container_definitions) : [container.essential, container.readonlyRootFilesystem]] == [[true, true], [false, true]]])
    error_message = "each task has a collector that may die without the service"
  }

  assert {
    condition = {
      for service, task in aws_ecs_task_definition.service : service => yamldecode(jsondecode(task.container_definitions)[1].environment[0].value).receivers.prometheus.config.scrape_configs[0].job_name
    } == { consumer = "consumer", level_aggregator = "level_aggregator", pruner = "pruner" }
    error_message = "the job is the service"
  }

  assert {
    condition = alltrue([
      for task in values(aws_ecs_task_definition.service) :
      jsondecode(task.container_definitions)[1].environment[0].name == "AOT_CONFIG_CONTENT"
      && yamldecode(jsondecode(task.container_definitions)[1].environment[0].value).exporters.prometheusremotewrite.endpoint == var.prometheus_remote_write_url
      && yamldecode(jsondecode(task.container_definitions)[1].environment[0].value).extensions.sigv4auth == { region = "us-east-1", service = "aps" }
      && yamldecode(jsondecode(task.container_definitions)[1].environment[0].value).receivers.prometheus.config.scrape_configs[0].static_configs == [{ targets = ["127.0.0.1:9464"] }]
    ])
    error_message = "the collector scrapes its task and writes, signed, to the workspace"
  }

  assert {
    condition     = alltrue([for task in values(aws_ecs_task_definition.service) : jsondecode(task.container_definitions)[0].dependsOn == [{ containerName = "collector", condition = "START" }]])
    error_message = "the collector outlives the service's drain"
  }
}
