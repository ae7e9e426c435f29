"""What runs behind the balancer: how its nodes are started, asked, and told what to suffer from."""
