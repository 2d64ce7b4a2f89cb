terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # State belongs in a bucket that is locked and encrypted, not on a laptop:
  # backend "s3" {
  #   bucket       = "my-terraform-state"
  #   key          = "headcount.tfstate"
  #   region       = "eu-west-1"
  #   encrypt      = true
  #   use_lockfile = true # Terraform 1.10 or newer
  # }
}

provider "aws" {
  region = var.region

  # The network too counts in the budget.
  default_tags {
    tags = { budget = "headcount" }
  }
}
