# Wrong values of variables.tf are refused before anything is made.

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

run "a_name_with_capitals" {
  command = plan

  variables {
    name = "Headcount"
  }

  expect_failures = [var.name]
}

run "an_image_tagged_latest" {
  command = plan

  variables {
    images = { consumer = "headcount-consumer:latest", level_aggregator = "headcount-level-aggregator:1", pruner = "headcount-pruner:1" }
  }

  expect_failures = [var.images]
}

run "an_image_without_a_tag" {
  command = plan

  variables {
    images = { consumer = "registry.example.com:5000/headcount-consumer", level_aggregator = "headcount-level-aggregator:1", pruner = "headcount-pruner:1" }
  }

  expect_failures = [var.images]
}

run "an_image_with_a_scheme" {
  command = plan

  variables {
    images = { consumer = "https://example.com/headcount-consumer:1", level_aggregator = "headcount-level-aggregator:1", pruner = "headcount-pruner:1" }
  }

  expect_failures = [var.images]
}

run "a_vpc_by_name" {
  command = plan

  variables {
    vpc_id = "main"
  }

  expect_failures = [var.vpc_id]
}

run "no_subnets" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "a_stream_by_arn" {
  command = plan

  variables {
    events_stream_name = "arn:aws:kinesis:eu-west-1:123456789012:stream/good"
  }

  expect_failures = [var.events_stream_name]
}

run "half_a_shard" {
  command = plan

  variables {
    events_stream_shards = 1.5
  }

  expect_failures = [var.events_stream_shards]
}

run "an_hour_of_retention" {
  command = plan

  variables {
    events_stream_retention_hours = 1
  }

  expect_failures = [var.events_stream_retention_hours]
}

run "a_foreign_key_for_a_stream_of_ours" {
  command = plan

  variables {
    events_stream_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  expect_failures = [var.events_stream_kms_key_arn]
}

run "a_key_by_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/headcount"
  }

  expect_failures = [var.kms_key_arn]
}

run "two_tables_of_one_name" {
  command = plan

  variables {
    table_names = { player = "State", level = "State" }
  }

  expect_failures = [var.table_names]
}

run "an_application_with_a_space" {
  command = plan

  variables {
    application = "head count"
  }

  expect_failures = [var.application]
}

run "an_app_id_with_a_comma" {
  command = plan

  variables {
    app_ids = ["codecombat,ozaria"]
  }

  expect_failures = [var.app_ids]
}

run "a_setting_with_a_slip" {
  command = plan

  variables {
    settings = { HEADCOUNT_IDLE_TIMEOUT = "120" }
  }

  expect_failures = [var.settings]
}

run "a_setting_that_the_module_sets" {
  command = plan

  variables {
    settings = { HEADCOUNT_WORKER_ID = "me" }
  }

  expect_failures = [var.settings]
}

run "a_setting_that_needs_a_disk" {
  command = plan

  variables {
    settings = { HEADCOUNT_DEAD_LETTER_DIRECTORY = "/letters" }
  }

  expect_failures = [var.settings]
}

run "a_secret_among_settings" {
  command = plan

  variables {
    settings = { AWS_SECRET_ACCESS_KEY = "x" }
  }

  expect_failures = [var.settings]
}
