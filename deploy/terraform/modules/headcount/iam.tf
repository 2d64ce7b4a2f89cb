# A role per service, with what permissions.json lists: the calls that the service was seen to make, and rare ones. Those
# of a statement with "only_with" it makes only where that setting is on, or names something.

locals {
  table_arns = {
    for table, name in var.table_names : table => "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${name}"
  }

  # What permissions.json calls a resource, for every service.
  resource_arns = {
    account           = "*" # for actions that know no resource
    events_stream     = local.events_stream_arn
    player_table      = local.table_arns.player
    level_table       = local.table_arns.level
    transitions_table = local.table_arns.transitions
    progress_table    = local.table_arns.progress
    history_table     = local.table_arns.history
    dead_letter_table = local.table_arns.dead_letter
    # A stream's label is its birth: turning it off and on again (docs/operations.md, rebuild) makes another.
    player_table_stream      = "${local.table_arns.player}/stream/*"
    transitions_table_stream = "${local.table_arns.transitions}/stream/*"
    snapshot_bucket          = one([for it in local.snapshots : "arn:${local.partition}:s3:::${it.bucket}"])
    snapshot_objects         = flatten([for it in local.snapshots : [for name in local.snapshot_files : "arn:${local.partition}:s3:::${it.bucket}/${it.prefix}${name}"]])
  }

  snapshot_files = ["level_information.json", "publication.json", "transition_information.json"]

  # And of the service's own KCL application.
  kcl_resource_arns = {
    for service, application in local.kcl_applications : service => {
      lease_table          = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${application}"
      lease_table_index    = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${application}/index/LeaseOwnerToLeaseKeyIndex"
      coordinator_table    = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${application}-CoordinatorState"
      worker_metrics_table = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${application}-WorkerMetricStats"
      # A registered consumer's ARN ends with its birth.
      events_stream_consumer = "${local.events_stream_arn}/consumer/${application}:*"
    }
  }

  switched_on = concat(
    [for name, value in var.settings : name if contains(["true", "1", "yes", "on", "t", "y"], lower(value))], # as the settings are read
    [for it in local.snapshots : "HEADCOUNT_MAP_BUCKET"],
  )

  service_statements = {
    for service in keys(local.services) : service => [
      for statement in local.permissions.services[service] : {
        Sid      = statement.sid
        Effect   = "Allow"
        Action   = statement.actions
        Resource = merge(local.resource_arns, lookup(local.kcl_resource_arns, service, {}))[statement.resource]
      }
      if !can(statement.only_with) || contains(local.switched_on, lookup(statement, "only_with", ""))
    ]
  }

  # Tables and streams under a customer key are read and written in the caller's name.
  service_keys = {
    consumer         = distinct(compact([var.kms_key_arn, var.events_stream_kms_key_arn]))
    level_aggregator = compact([var.kms_key_arn])
    pruner           = compact([var.kms_key_arn])
    game_map         = compact([var.kms_key_arn])
  }

  key_statements = {
    for service, keys in local.service_keys : service => [
      for arn in slice(keys, 0, min(1, length(keys))) : {
        Sid      = "UseCustomerKeys"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey"]
        Resource = keys
        Condition = {
          StringEquals = {
            "kms:ViaService" = [for aws in ["dynamodb", "kinesis"] : "${aws}.${local.region}.${data.aws_partition.current.dns_suffix}"]
          }
        }
      }
    ]
  }

  # An object under a customer key is decrypted with it, and gets a data key of it.
  snapshot_key_statements = [
    for arn in compact([for it in local.snapshots : it.kms_key_arn]) : {
      Sid      = "UseSnapshotsKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [arn]
      Condition = {
        StringEquals = { "kms:ViaService" = ["s3.${local.region}.${data.aws_partition.current.dns_suffix}"] }
      }
    }
  ]

  remote_write_statements = [
    for url in var.prometheus_remote_write_url[*] : {
      Sid      = "WriteMetrics"
      Effect   = "Allow"
      Action   = ["aps:RemoteWrite"]
      Resource = "arn:${local.partition}:aps:${local.remote_write_region}:${local.account}:workspace/${regex("workspaces/(ws-[0-9a-f-]+)/", url)[0]}"
    }
  ]
}

resource "aws_iam_role" "task" {
  for_each = local.services

  name                 = "${var.name}-${each.value.slug}"
  description          = "What Headcount's ${each.key} may do"
  permissions_boundary = var.permissions_boundary_arn
  tags                 = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "task" {
  for_each = local.services

  name = "headcount"
  role = aws_iam_role.task[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.service_statements[each.key],
      local.key_statements[each.key],
      each.key == "game_map" ? local.snapshot_key_statements : [],
      local.remote_write_statements,
    )
  })
}

# Pulls images and writes logs, before and beside the containers.
locals {
  images = compact(concat([for it in values(local.services) : it.image], var.prometheus_remote_write_url == null ? [] : [var.collector_image]))

  ecr_repositories = distinct([
    for parts in [for image in local.images : try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)", image), null)] :
    "arn:${local.partition}:ecr:${parts[1]}:${parts[0]}:repository/${parts[2]}" if parts != null
  ])

  pull_statements = length(local.ecr_repositories) == 0 ? [] : [
    {
      Sid      = "LogInToRegistry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"] # knows no resource
    },
    {
      Sid      = "PullImages"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = local.ecr_repositories
    },
  ]
}

resource "aws_iam_role" "execution" {
  name                 = "${var.name}-execution"
  description          = "Pulls Headcount's images and writes its logs"
  permissions_boundary = var.permissions_boundary_arn
  tags                 = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "headcount"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull_statements, [{
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [for service in keys(local.services) : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_groups[service]}:log-stream:*"]
    }])
  })
}
