# Where the images lie. Applied first: the services can't start without their images.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "AWS region of the repositories."
  type        = string
  default     = "eu-west-1"
}

resource "aws_ecr_repository" "service" {
  #checkov:skip=CKV_AWS_136:The images hold open source and no secrets; AWS's own encryption does.
  for_each = toset(["consumer", "level-aggregator", "pruner", "game-map"])

  name                 = "headcount-${each.key}"
  image_tag_mutability = "IMMUTABLE" # a rollback starts what it started then

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "service" {
  for_each = aws_ecr_repository.service

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last 20 images"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}

output "registry" {
  description = "The registry to log in and push to."
  value       = split("/", aws_ecr_repository.service["consumer"].repository_url)[0]
}
