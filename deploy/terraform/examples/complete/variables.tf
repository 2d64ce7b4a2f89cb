variable "region" {
  description = "AWS region to run in."
  type        = string
  default     = "eu-west-1"
}

variable "zones" {
  description = "Letters of the two availability zones to run in."
  type        = list(string)
  default     = ["a", "b"]

  validation {
    condition     = length(distinct(var.zones)) == 2 && length(var.zones) == 2 && alltrue([for letter in var.zones : can(regex("^[a-z]$", letter))])
    error_message = "zones must be the letters of two different zones, for example [\"a\", \"c\"]."
  }
}

variable "registry" {
  description = "Registry with the images, as ../registry prints it: 123456789012.dkr.ecr.eu-west-1.amazonaws.com."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+(:[0-9]+)?$", var.registry))
    error_message = "registry must be a host name, without https:// and without a path."
  }
}

variable "image_tag" {
  description = "Tag of the images."
  type        = string
}

variable "app_ids" {
  description = "app_ids whose events count; empty: all."
  type        = list(string)
  default     = []
}

variable "shards" {
  description = "Shards of the events' stream: one takes 1 MB/s or 1,000 records a second."
  type        = number
  default     = 2
}

variable "map_certificate_arn" {
  description = "Certificate of ACM for the game map's name; null: no map."
  type        = string
  default     = null
}

variable "map_client_cidrs" {
  description = "Who may look at the map, as IPv4 ranges; [\"0.0.0.0/0\"]: everybody."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "Budget a month in US dollars; it needs alarm_emails."
  type        = number
  default     = 300
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the tables. False, and an apply, before a destroy."
  type        = bool
  default     = true
}
