output "load_balancer_dns_name" {
  description = "The target of the DNS record of public_url."
  value       = aws_lb.service.dns_name
}

output "secret_key_arn" {
  description = "For commands of an operator, as in ROSTER_SECRET_KEY=arn:..."
  value       = aws_secretsmanager_secret.secret_key.arn
}
