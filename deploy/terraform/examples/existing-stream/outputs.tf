output "metrics_names" {
  description = "What Prometheus' dns_sd_configs resolves (type A, port 9464), by job."
  value       = module.headcount.metrics_names
}

output "table_names" {
  description = "The tables; LevelState holds the counts."
  value       = module.headcount.table_names
}
