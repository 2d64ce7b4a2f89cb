# How many consumers: never more than shards.

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

run "as_many_consumers_as_shards" {
  command = plan

  variables {
    events_stream_shards = 6
    consumer_count       = { min = 2 }
  }

  assert {
    condition     = aws_appautoscaling_target.consumer.min_capacity == 2 && aws_appautoscaling_target.consumer.max_capacity == 6
    error_message = "autoscaling goes up to the number of shards"
  }

  assert {
    condition     = aws_ecs_service.consumer.desired_count == 2
    error_message = "it begins with the fewest"
  }

  assert {
    condition     = aws_appautoscaling_policy.consumer_cpu.target_tracking_scaling_policy_configuration[0].target_value == 60 && aws_cloudwatch_metric_alarm.consumer_scale_out.metric_name == "GetRecords.IteratorAgeMilliseconds" && aws_cloudwatch_metric_alarm.consumer_scale_out.threshold == 60000
    error_message = "CPU and the age of events drive it"
  }
}

run "never_more_consumers_than_shards" {
  command = plan

  variables {
    events_stream_shards = 1
    consumer_count       = { min = 3, max = 9 }
  }

  assert {
    condition     = aws_appautoscaling_target.consumer.min_capacity == 1 && aws_appautoscaling_target.consumer.max_capacity == 1 && aws_ecs_service.consumer.desired_count == 1
    error_message = "one shard feeds one consumer"
  }
}

run "open_shards_of_an_existing_stream" {
  command = plan

  variables {
    create_events_stream = false
    events_stream_name   = "snowplow-enriched-good"
  }

  assert {
    condition     = length(aws_kinesis_stream.events) == 0
    error_message = "an existing stream is not made"
  }

  assert {
    condition     = aws_appautoscaling_target.consumer.max_capacity == 3
    error_message = "the stream's open shards, three in the mock, bound the consumers"
  }

  assert {
    condition     = output.events_stream_arn == "arn:aws:kinesis:eu-west-1:123456789012:stream/snowplow-enriched-good"
    error_message = "the stream is found by its name"
  }
}
