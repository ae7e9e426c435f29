<?php
// Notes, with PHP's own sessions: in files (its default), or in Redis by php-redis. settings: see app.toml.

if (getenv('SESSIONS') === 'redis') {
    ini_set('session.save_handler', 'redis');
    ini_set('session.save_path', 'tcp://127.0.0.1:' . getenv('REDIS_PORT'));
} else {
    ini_set('session.save_path', getenv('SESSION_DIR'));
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/health') {
    exit('well');
}

session_start();
$user = $_SESSION['user'] ?? null;
$token = $_SESSION['token'] ??= bin2hex(random_bytes(16));
$posted = $_SERVER['REQUEST_METHOD'] === 'POST';
if ($posted && !hash_equals($token, $_POST['token'] ?? '')) {
    http_response_code(400);
    exit('The form is too old. Go back, and try again.');
}

function go_to(string $where): never
{
    header("Location: $where", true, 303);
    exit;
}

if ($posted && $path === '/login' && $_POST['password'] === getenv('PASSWORD')) {
    session_regenerate_id(true);
    $_SESSION['user'] = $_POST['name'];
    go_to('/');
}
if ($posted && $path === '/logout') {
    session_destroy();
    go_to('/');
}
if ($posted && $path === '/note' && $user !== null) {
    $_SESSION['note'] = $_POST['note'];
    go_to('/');
}

// Whoever is not logged in is shown the form at any address, with status 200.
$h = fn (string $text): string => htmlspecialchars($text);
?>
<!doctype html><title>Notes</title>
<?php if ($user === null): ?>
<form id="login" method="post" action="/login">
  <input name="name"><input name="password" type="password"><input type="hidden" name="token" value="<?= $token ?>">
</form>
<?php else: ?>
<p>Hello, <?= $h($user) ?>! Your note: <q id="note"><?= $h($_SESSION['note'] ?? '') ?></q></p>
<form method="post" action="/note"><input name="note"><input type="hidden" name="token" value="<?= $token ?>"></form>
<form method="post" action="/logout"><input type="hidden" name="token" value="<?= $token ?>"></form>
<?php endif ?>
