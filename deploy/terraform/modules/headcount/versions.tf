terraform {
  required_version = ">= 1.9" # variables' validations look at locals and at each other

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
