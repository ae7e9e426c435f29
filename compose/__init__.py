"""Where the twins run: architectures, balancer configuration, session store, and the engines that start them all."""
