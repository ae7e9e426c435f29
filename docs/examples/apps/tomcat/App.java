// Notes, a servlet on Tomcat: sessions in its memory, or replicated to the other nodes by Tomcat's own DeltaManager.
import jakarta.servlet.http.*;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.ha.session.DeltaManager;
import org.apache.catalina.ha.tcp.*;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.tribes.group.*;
import org.apache.catalina.tribes.group.interceptors.*;
import org.apache.catalina.tribes.membership.StaticMember;
import org.apache.catalina.tribes.transport.ReceiverBase;

public class App extends HttpServlet {
  static final long BEGAN = System.currentTimeMillis();
  static GroupChannel channel; // to the other nodes, if there are any
  static boolean met;
  protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
    HttpSession session = request.getSession();
    String user = (String) session.getAttribute("user");
    switch (request.getMethod() + " " + request.getPathInfo()) {
      case "GET /health" -> response.setStatus(met() ? 200 : 503);
      case "POST /login" -> {
        boolean right = System.getenv("PASSWORD").equals(request.getParameter("password"));
        if (right) request.changeSessionId();
        if (right) session.setAttribute("user", request.getParameter("user"));
        response.sendRedirect(right ? "/" : "/refused");
      }
      case "POST /note" -> {
        if (user != null) session.setAttribute("note", request.getParameter("note"));
        response.sendRedirect("/");
      }
      case "POST /logout" -> { session.invalidate(); response.sendRedirect("/"); }
      default -> {
        response.setStatus(user == null ? 403 : 200);
        response.getWriter().printf("<b>%s</b><q>%s</q>", user, session.getAttribute("note"));
      }
    }
  }

  // Well when it has met all others, or after ten seconds: who logs in before is known to it alone.
  static boolean met() {
    int others = channel == null ? 0 : System.getenv("PEERS").split(",").length;
    return met |= others == 0 || channel.getMembers().length >= others || System.currentTimeMillis() - BEGAN > 10_000;
  }

  public static void main(String[] args) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(System.getenv("BASE"));
    tomcat.setPort(Integer.parseInt(args[0]));
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    Context context = tomcat.addContext("", System.getenv("BASE"));
    Tomcat.addServlet(context, "notes", new App()).addMapping("/*");
    if (!System.getenv().getOrDefault("PEERS", "").isEmpty()) replicate(tomcat, context);
    tomcat.start();
    tomcat.getServer().await();
  }

  static void replicate(Tomcat tomcat, Context context) throws Exception {
    context.setDistributable(true);
    SimpleTcpCluster cluster = new SimpleTcpCluster();
    cluster.setChannelStartOptions(GroupChannel.SND_RX_SEQ | GroupChannel.SND_TX_SEQ); // without multicast
    // The second of these without the first waits for nothing, like Tomcat's default.
    cluster.setChannelSendOptions(GroupChannel.SEND_OPTIONS_USE_ACK | GroupChannel.SEND_OPTIONS_SYNCHRONIZED_ACK);
    cluster.addValve(new ReplicationValve());
    DeltaManager manager = new DeltaManager();
    manager.setStateTransferTimeout(5); // when all start at once, the node that is asked may not be ready to answer
    cluster.setManagerTemplate(manager);
    channel = (GroupChannel) cluster.getChannel();
    ReceiverBase receiver = (ReceiverBase) channel.getChannelReceiver();
    receiver.setAddress("127.0.0.1");
    receiver.setPort(Integer.parseInt(System.getenv("PEER").split(":")[1]));
    StaticMembershipInterceptor members = new StaticMembershipInterceptor();
    for (String other : System.getenv("PEERS").split(","))
      members.addStaticMember(new StaticMember("127.0.0.1", Integer.parseInt(other.split(":")[1]), 0));
    channel.addInterceptor(new TcpPingInterceptor());
    channel.addInterceptor(new TcpFailureDetector());
    channel.addInterceptor(members);
    tomcat.getEngine().setCluster(cluster);
  }
}
