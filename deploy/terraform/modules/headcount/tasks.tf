# What a task is made of.

locals {
  environment = merge(
    var.settings,
    {
      AWS_REGION                  = local.region
      HEADCOUNT_APPLICATION       = var.application
      HEADCOUNT_EVENTS_STREAM     = var.events_stream_name
      HEADCOUNT_PLAYER_TABLE      = var.table_names.player
      HEADCOUNT_LEVEL_TABLE       = var.table_names.level
      HEADCOUNT_TRANSITIONS_TABLE = var.table_names.transitions
      HEADCOUNT_PROGRESS_TABLE    = var.table_names.progress
      HEADCOUNT_HISTORY_TABLE     = var.table_names.history
      HEADCOUNT_DEAD_LETTER_TABLE = var.table_names.dead_letter
      HEADCOUNT_METRICS_HOST      = "0.0.0.0"
      HEADCOUNT_METRICS_PORT      = tostring(local.metrics_port)
      HEADCOUNT_WORKER_ID         = "ecs-task-id" # the service puts its task's id here
    },
    length(var.app_ids) == 0 ? {} : { HEADCOUNT_APP_IDS = join(",", var.app_ids) },
  )

  # What a service gets beside that.
  own_environment = {
    for service in keys(local.services) : service => merge(local.environment, service != "game_map" ? {} : merge(
      {
        HEADCOUNT_MAP_HOST    = "0.0.0.0"
        HEADCOUNT_MAP_PORT    = tostring(local.map_port)
        HEADCOUNT_MAP_PROXIES = tostring(var.game_map.proxies)
      },
      [for it in local.snapshots : { HEADCOUNT_MAP_BUCKET = it.bucket, HEADCOUNT_MAP_PREFIX = it.prefix }]...
    ))
  }

  ports = {
    for service in keys(local.services) : service => [
      for name, port in merge({ metrics = local.metrics_port }, service != "game_map" ? {} : { map = local.map_port }) :
      { name = name, containerPort = port, hostPort = port, protocol = "tcp" }
    ]
  }

  # Nothing of Linux's privileges, nothing to write to but /tmp.
  confined = {
    privileged             = false
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
  }

  # A line that CloudWatch does not take must not hold up the work: then lines are lost, not time.
  log_configuration = {
    for service in keys(local.services) : service => {
      logDriver = "awslogs"
      options = {
        awslogs-group   = aws_cloudwatch_log_group.service[service].name
        awslogs-region  = local.region
        mode            = "non-blocking"
        max-buffer-size = "25m"
      }
    }
  }

  service_containers = {
    for service, it in local.services : service => merge(local.confined, {
      name         = it.slug
      image        = it.image
      essential    = true
      user         = "10001:10001"
      stopTimeout  = 120 # Fargate's most; a drain takes up to 65 s
      environment  = [for name in sort(keys(local.own_environment[service])) : { name = name, value = local.own_environment[service][name] }]
      portMappings = local.ports[service]
      dependsOn    = [for url in var.prometheus_remote_write_url[*] : { containerName = "collector", condition = "START" }] # and so ends first
      mountPoints  = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]

      # Restarted in its task it keeps its worker id, and so its leases. One that ends within a minute is not: the task
      # stops, and the deployment's circuit breaker sees it. 2 and 64: settings that no restart mends.
      restartPolicy = { enabled = true, ignoredExitCodes = [0, 2, 64], restartAttemptPeriod = 60 }

      healthCheck = {
        command     = ["CMD", "python", "-m", "headcount.healthcheck"]
        interval    = 30
        timeout     = 10
        retries     = 3
        startPeriod = 120
      }

      logConfiguration = merge(local.log_configuration[service], {
        options = merge(local.log_configuration[service].options, { awslogs-stream-prefix = "service" })
      })
    })
  }

  collector_containers = {
    for service in keys(local.services) : service => [
      for url in var.prometheus_remote_write_url[*] : merge(local.confined, {
        name          = "collector"
        image         = var.collector_image
        essential     = false # without metrics the counts go on
        stopTimeout   = 30
        environment   = [{ name = "AOT_CONFIG_CONTENT", value = yamlencode(local.collector_config[service]) }]
        mountPoints   = []
        portMappings  = []
        restartPolicy = { enabled = true, restartAttemptPeriod = 60 }

        logConfiguration = merge(local.log_configuration[service], {
          options = merge(local.log_configuration[service].options, { awslogs-stream-prefix = "collector" })
        })
      })
    ]
  }
}

resource "aws_ecs_task_definition" "service" {
  for_each = local.services

  family                   = "${var.name}-${each.value.slug}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.size.cpu
  memory                   = each.value.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.key].arn
  container_definitions    = jsonencode(concat([local.service_containers[each.key]], local.collector_containers[each.key]))
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  # Fargate has no tmpfs. The image declares VOLUME /tmp, so this volume takes over the mode of its /tmp (1777), and the
  # image's user can write there.
  volume {
    name = "tmp"
  }
}
