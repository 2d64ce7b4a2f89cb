# Roles and policies: what permissions.json says, on exactly the resources it names.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  images = {
    consumer         = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-consumer:1.0.0"
    level_aggregator = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/headcount-level-aggregator@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    pruner           = "example.com:5000/headcount/pruner:1.0.0"
  }
  vpc_id     = "vpc-0123456789abcdef0"
  subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
}

run "task_roles" {
  command = plan

  assert {
    condition     = { for service, role in aws_iam_role.task : service => role.name } == { consumer = "headcount-consumer", level_aggregator = "headcount-level-aggregator", pruner = "headcount-pruner" }
    error_message = "each service has a role of its own"
  }

  assert {
    condition     = alltrue([for role in values(aws_iam_role.task) : jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" } && jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"])
    error_message = "only tasks of this account take a role"
  }

  assert {
    condition     = alltrue([for service, policy in aws_iam_role_policy.task : [for statement in jsondecode(policy.policy).Statement : statement.Sid] == [for statement in local.permissions.services[service] : statement.sid if !can(statement.only_with)]])
    error_message = "a policy has the statements of permissions.json and no other"
  }

  assert {
    condition     = alltrue([for service in ["consumer", "level_aggregator", "pruner"] : length(local.permissions.services[service]) > 0])
    error_message = "permissions.json lists something for every service"
  }
}

run "no_wildcards" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for policy in values(aws_iam_role_policy.task) : [
        for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : can(regex("^[a-z]+:[A-Za-z]+$", action))]
      ]
    ]))
    error_message = "every action is named in full"
  }

  # Besides the account, for actions that know no resource, one: the streams of PlayerState, whose labels are their births.
  assert {
    condition = alltrue(flatten([
      for service, policy in aws_iam_role_policy.task : [
        for statement in jsondecode(policy.policy).Statement :
        statement.Resource == "*"
        ? contains([for listed in local.permissions.services[service] : listed.sid if listed.resource == "account"], statement.Sid)
        : !strcontains(statement.Resource, "*") || statement.Resource == "arn:aws:dynamodb:eu-west-1:123456789012:table/PlayerState/stream/*"
      ]
    ]))
    error_message = "every resource is named in full"
  }

  assert {
    condition = alltrue(flatten([
      for policy in values(aws_iam_role_policy.task) : [
        for statement in jsondecode(policy.policy).Statement : [
          for action in statement.Action : startswith(statement.Resource, "arn:aws:${split(":", action)[0]}:") || statement.Resource == "*"
        ]
      ]
    ]))
    error_message = "an action's service is its resource's"
  }
}

run "resources_are_this_deployments" {
  command = plan

  variables {
    name               = "staging"
    application        = "staging"
    events_stream_name = "staging-enriched-good"
    table_names        = { player = "StagingPlayers", level = "StagingLevels", transitions = "StagingTransitions", progress = "StagingProgress", history = "StagingHistory", dead_letter = "StagingLetters" }
  }

  assert {
    condition = length(setsubtract(
      flatten([for policy in values(aws_iam_role_policy.task) : [for statement in jsondecode(policy.policy).Statement : statement.Resource]]),
      concat(
        ["*", "arn:aws:kinesis:eu-west-1:123456789012:stream/staging-enriched-good"],
        [
          for table in [
            "StagingPlayers", "StagingPlayers/stream/*", "StagingLevels", "StagingTransitions", "StagingProgress", "StagingLetters",
            "staging-consumer", "staging-consumer/index/LeaseOwnerToLeaseKeyIndex", "staging-consumer-CoordinatorState", "staging-consumer-WorkerMetricStats",
            "staging-level-aggregator", "staging-level-aggregator/index/LeaseOwnerToLeaseKeyIndex", "staging-level-aggregator-CoordinatorState", "staging-level-aggregator-WorkerMetricStats",
          ] : "arn:aws:dynamodb:eu-west-1:123456789012:table/${table}"
        ],
      ),
    )) == 0
    error_message = "another name, application, stream and tables make other ARNs, all of them"
  }

  assert {
    condition     = alltrue([for policy in [aws_iam_role_policy.task["consumer"].policy] : !strcontains(policy, "level-aggregator")]) && !strcontains(aws_iam_role_policy.task["level_aggregator"].policy, "table/staging-consumer")
    error_message = "a service has no right on the other's KCL tables"
  }
}

run "enhanced_fan_out" {
  command = plan

  variables {
    application = "staging"
    settings    = { HEADCOUNT_ENHANCED_FAN_OUT = "Yes" }
  }

  assert {
    condition     = alltrue([for service, policy in aws_iam_role_policy.task : [for statement in jsondecode(policy.policy).Statement : statement.Sid] == [for statement in local.permissions.services[service] : statement.sid]])
    error_message = "with the setting there is every statement"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.task["consumer"].policy).Statement : statement.Resource if contains(statement.Action, "kinesis:SubscribeToShard")]) == "arn:aws:kinesis:eu-west-1:123456789012:stream/enriched-good/consumer/staging-consumer:*"
    error_message = "it subscribes as its own application only"
  }
}

run "fan_out_switched_off" {
  command = plan

  variables {
    settings = { HEADCOUNT_ENHANCED_FAN_OUT = "false" }
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.task["consumer"].policy, "SubscribeToShard")
    error_message = "a setting that says false gives no right"
  }
}

run "customer_keys" {
  command = plan

  variables {
    create_events_stream      = false
    kms_key_arn               = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    events_stream_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  }

  assert {
    condition = {
      for service, policy in aws_iam_role_policy.task : service => one([for statement in jsondecode(policy.policy).Statement : statement.Resource if statement.Sid == "UseCustomerKeys"])
      } == {
      consumer         = [var.kms_key_arn, var.events_stream_kms_key_arn]
      level_aggregator = [var.kms_key_arn]
      pruner           = [var.kms_key_arn]
    }
    error_message = "each service may use the keys of what it reads"
  }

  assert {
    condition     = alltrue([for policy in values(aws_iam_role_policy.task) : one([for statement in jsondecode(policy.policy).Statement : statement if statement.Sid == "UseCustomerKeys"]).Condition.StringEquals["kms:ViaService"] == ["dynamodb.eu-west-1.amazonaws.com", "kinesis.eu-west-1.amazonaws.com"]])
    error_message = "and through DynamoDB and Kinesis only"
  }
}

run "remote_write" {
  command = plan

  variables {
    prometheus_remote_write_url = "https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-12345678-90ab-cdef-1234-567890abcdef/api/v1/remote_write"
  }

  assert {
    condition     = alltrue([for policy in values(aws_iam_role_policy.task) : one([for statement in jsondecode(policy.policy).Statement : [statement.Action, statement.Resource] if statement.Sid == "WriteMetrics"]) == [["aps:RemoteWrite"], "arn:aws:aps:us-east-1:123456789012:workspace/ws-12345678-90ab-cdef-1234-567890abcdef"]])
    error_message = "the collector may write to its workspace and to no other"
  }
}

run "execution_role" {
  command = plan

  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if statement.Sid == "PullImages"]) == [
      "arn:aws:ecr:eu-west-1:123456789012:repository/headcount-consumer",
      "arn:aws:ecr:eu-west-1:123456789012:repository/headcount-level-aggregator",
    ]
    error_message = "it pulls from the repositories of the images; one outside ECR needs none"
  }

  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if statement.Sid == "WriteLogs"]) == [
      "arn:aws:logs:eu-west-1:123456789012:log-group:/headcount/consumer:log-stream:*",
      "arn:aws:logs:eu-west-1:123456789012:log-group:/headcount/level-aggregator:log-stream:*",
      "arn:aws:logs:eu-west-1:123456789012:log-group:/headcount/pruner:log-stream:*",
    ]
    error_message = "it writes to the services' log groups"
  }
}
