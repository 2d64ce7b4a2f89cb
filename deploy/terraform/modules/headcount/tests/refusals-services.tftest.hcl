# Wrong values of variables-services.tf are refused before anything is made.

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
  subnet_ids = ["subnet-0123456789abcdef0"]
}

run "no_consumer" {
  command = plan

  variables {
    consumer_count = { min = 0 }
  }

  expect_failures = [var.consumer_count]
}

run "fewer_consumers_at_most_than_at_least" {
  command = plan

  variables {
    consumer_count = { min = 3, max = 2 }
  }

  expect_failures = [var.consumer_count]
}

run "no_aggregator" {
  command = plan

  variables {
    level_aggregator_count = 0
  }

  expect_failures = [var.level_aggregator_count]
}

run "three_pruners" {
  command = plan

  variables {
    pruner_count = 3
  }

  expect_failures = [var.pruner_count]
}

run "a_size_that_fargate_has_not" {
  command = plan

  variables {
    task_size = { pruner = { cpu = 256, memory = 4096 } }
  }

  expect_failures = [var.task_size]
}

run "too_little_memory_for_a_jvm" {
  command = plan

  variables {
    task_size = { consumer = { cpu = 256, memory = 512 } }
  }

  expect_failures = [var.task_size]
}

run "a_cpu_target_of_everything" {
  command = plan

  variables {
    consumer_cpu_target = 100
  }

  expect_failures = [var.consumer_cpu_target]
}

run "scaling_out_at_once" {
  command = plan

  variables {
    consumer_scale_out_age_seconds = 1
  }

  expect_failures = [var.consumer_scale_out_age_seconds]
}

run "a_security_group_by_name" {
  command = plan

  variables {
    metrics_source_security_group_id = "prometheus"
  }

  expect_failures = [var.metrics_source_security_group_id]
}

run "a_route_table_by_name" {
  command = plan

  variables {
    dynamodb_gateway_route_table_ids = ["private"]
  }

  expect_failures = [var.dynamodb_gateway_route_table_ids]
}
