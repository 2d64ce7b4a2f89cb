# Wrong values of variables-map.tf are refused before anything is made.

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
    client_cidrs    = ["203.0.113.0/24"]
  }
}

run "a_certificate_of_iam" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:iam::123456789012:server-certificate/map"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
    }
  }

  expect_failures = [var.game_map]
}

run "one_subnet" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210"]
      client_cidrs    = ["203.0.113.0/24"]
    }
  }

  expect_failures = [var.game_map]
}

run "one_subnet_twice" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543210"]
      client_cidrs    = ["203.0.113.0/24"]
    }
  }

  expect_failures = [var.game_map]
}

run "nobody_may_look" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = []
    }
  }

  expect_failures = [var.game_map]
}

run "a_client_without_a_range" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.1"]
    }
  }

  expect_failures = [var.game_map]
}

run "no_task" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      tasks           = 0
    }
  }

  expect_failures = [var.game_map]
}

run "half_a_task" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      tasks           = 1.5
    }
  }

  expect_failures = [var.game_map]
}

run "no_proxy" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      proxies         = 0
    }
  }

  expect_failures = [var.game_map]
}

run "a_map_without_an_image" {
  command = plan

  variables {
    images = { consumer = "headcount-consumer:1", level_aggregator = "headcount-level-aggregator:1", pruner = "headcount-pruner:1" }
  }

  expect_failures = [var.game_map]
}

run "an_image_tagged_latest" {
  command = plan

  variables {
    images = { consumer = "headcount-consumer:1", level_aggregator = "headcount-level-aggregator:1", pruner = "headcount-pruner:1", game_map = "headcount-game-map:latest" }
  }

  expect_failures = [var.images]
}

run "a_bucket_by_its_arn" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      snapshots       = { bucket = "arn:aws:s3:::game-snapshots" }
    }
  }

  expect_failures = [var.game_map]
}

run "a_prefix_that_stands_for_others" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      snapshots       = { bucket = "game-snapshots", prefix = "*/" }
    }
  }

  expect_failures = [var.game_map]
}

run "a_bucket_s_key_by_its_alias" {
  command = plan

  variables {
    game_map = {
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      subnet_ids      = ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"]
      client_cidrs    = ["203.0.113.0/24"]
      snapshots       = { bucket = "game-snapshots", kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/snapshots" }
    }
  }

  expect_failures = [var.game_map]
}
