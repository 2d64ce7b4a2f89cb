# Tables and stream. No AWS account: the provider is mocked.

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

run "tables" {
  command = plan

  assert {
    condition     = { for table, made in aws_dynamodb_table.data : table => made.name } == { player = "PlayerState", level = "LevelState", transitions = "Transitions", progress = "StreamProgress", history = "LevelHistory", dead_letter = "DeadLetters" }
    error_message = "the tables have the names of docs/semantics.md"
  }

  assert {
    condition     = { for table, made in aws_dynamodb_table.data : table => join("/", compact([made.hash_key, made.range_key])) } == { player = "playerId", level = "levelId", transitions = "bucket/transition", progress = "worker", history = "level/minute", dead_letter = "record/part" }
    error_message = "the tables have the keys of docs/semantics.md"
  }

  assert {
    condition     = alltrue([for made in values(aws_dynamodb_table.data) : alltrue([for attribute in made.attribute : attribute.type == "S"])])
    error_message = "all keys are strings"
  }

  assert {
    condition     = { for table, made in aws_dynamodb_table.data : table => [for ttl in made.ttl : ttl.attribute_name if ttl.enabled] } == { player = [], level = [], transitions = ["expiresAt"], progress = ["expiresAt"], history = ["expiresAt"], dead_letter = ["expiresAt"] }
    error_message = "Transitions, StreamProgress, LevelHistory and DeadLetters expire by expiresAt, the others never"
  }

  assert {
    condition     = aws_dynamodb_table.data["player"].stream_enabled && aws_dynamodb_table.data["player"].stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "PlayerState's stream has both images"
  }

  assert {
    condition     = [for table, made in aws_dynamodb_table.data : table if made.stream_enabled] == ["player", "transitions"]
    error_message = "no other table has a stream"
  }

  assert {
    condition     = alltrue([for made in values(aws_dynamodb_table.data) : made.billing_mode == "PAY_PER_REQUEST" && made.point_in_time_recovery[0].enabled && made.deletion_protection_enabled])
    error_message = "tables are on demand, restorable, and not deleted by accident"
  }

  assert {
    condition     = alltrue([for made in concat(values(aws_dynamodb_table.data), values(aws_dynamodb_table.kcl)) : length(made.server_side_encryption) == 0])
    error_message = "without a customer key AWS's own encrypts"
  }
}

run "kcl_tables" {
  command = plan

  assert {
    condition = { for made in values(aws_dynamodb_table.kcl) : made.name => made.hash_key } == {
      headcount-consumer                          = "leaseKey"
      headcount-consumer-CoordinatorState         = "key"
      headcount-level-aggregator                  = "leaseKey"
      headcount-level-aggregator-CoordinatorState = "key"
    }
    error_message = "the KCL's tables have the names and keys that the KCL gives them"
  }

  assert {
    condition = {
      for made in values(aws_dynamodb_table.kcl) : made.name => [for index in made.global_secondary_index : [index.name, index.hash_key, index.range_key, index.projection_type]] if length(made.global_secondary_index) > 0
      } == {
      headcount-consumer         = [["LeaseOwnerToLeaseKeyIndex", "leaseOwner", "leaseKey", "KEYS_ONLY"]]
      headcount-level-aggregator = [["LeaseOwnerToLeaseKeyIndex", "leaseOwner", "leaseKey", "KEYS_ONLY"]]
    }
    error_message = "the lease tables have the index that the KCL makes, and only they"
  }

  assert {
    condition     = alltrue([for made in values(aws_dynamodb_table.kcl) : made.billing_mode == "PAY_PER_REQUEST" && made.point_in_time_recovery[0].enabled])
    error_message = "the KCL's tables are on demand and restorable"
  }
}

run "kcl_tables_left_to_the_services" {
  command = plan

  variables {
    create_kcl_tables = false
  }

  assert {
    condition     = length(aws_dynamodb_table.kcl) == 0 && length(aws_dynamodb_table.data) == 6
    error_message = "with create_kcl_tables = false only the data tables are made"
  }
}

run "events_stream" {
  command = plan

  assert {
    condition     = aws_kinesis_stream.events[0].name == "enriched-good" && aws_kinesis_stream.events[0].shard_count == 2
    error_message = "the stream is made, with the shards asked for"
  }

  assert {
    condition     = aws_kinesis_stream.events[0].encryption_type == "KMS" && aws_kinesis_stream.events[0].kms_key_id == "alias/aws/kinesis"
    error_message = "the stream is encrypted"
  }
}

run "customer_key" {
  command = plan

  variables {
    kms_key_arn     = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    log_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/99999999-2222-3333-4444-555555555555"
  }

  assert {
    condition     = alltrue([for made in concat(values(aws_dynamodb_table.data), values(aws_dynamodb_table.kcl)) : made.server_side_encryption[0].kms_key_arn == var.kms_key_arn])
    error_message = "the customer's key encrypts every table"
  }

  assert {
    condition     = aws_kinesis_stream.events[0].kms_key_id == var.kms_key_arn
    error_message = "the customer's key encrypts the stream"
  }

  assert {
    condition     = alltrue([for group in values(aws_cloudwatch_log_group.service) : group.kms_key_id == var.log_kms_key_arn])
    error_message = "the customer's key encrypts the logs"
  }
}
